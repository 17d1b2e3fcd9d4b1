/*
 * The end: says what went wrong and where, on the screen and COM1, and ends the run.
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

/* The name without its folders, so that the kernel's bytes do not depend on where it is built. */
#ifdef __FILE_NAME__
#define PANIC_FILE __FILE_NAME__
#else
#define PANIC_FILE __FILE__
#endif

/* For what must not happen: prints file, line, function and the message, and stops. Takes what
   console_print() takes. */
#define panic(...) panic_at(PANIC_FILE, __LINE__, __func__, __VA_ARGS__)

__attribute__((format(printf, 4, 5))) _Noreturn void
panic_at(const char *file, int line, const char *function, const char *format, ...);

/* Each report that ends the run begins here: it makes the console stand out, and ends at once when
   even the report of a failed report fails. */
void panic_begin(void);

/* And ends here: the machine stops, after it has told (verdict.h) whoever started it. */
_Noreturn void panic_end(void);

/* What reports end with from now on; NULL: with the machine. It must not return. A kernel that
   tests itself goes on by this. */
void panic_set_end(void (*end)(void));

#endif
