/*
 * The only program of the tests' initrd: says a line on the console, with what the kernel was told,
 * and powers the machine off. Without a C library: three system calls.
 */
static long call(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

#define SYS_WRITE 1
#define SYS_REBOOT 169
#define MAGIC_1 0xfee1dead
#define MAGIC_2 672274793
#define POWER_OFF 0x4321fedc

void _start(void)
{
    static const char text[] = "bootimage: this is the initrd\n";

    call(SYS_WRITE, 1, (long)text, sizeof(text) - 1, 0);
    call(SYS_REBOOT, (long)MAGIC_1, MAGIC_2, POWER_OFF, 0);
    for (;;)
        __asm__ volatile("pause");
}
