/*
 * A kernel with thread-local storage: it makes a thread's copy of the template that bootinfo tells
 * of, and its variables are there. What bootinfo says is compared with the program headers of this
 * very file, which lie in its first segment; so is what PT_GNU_RELRO names.
 *
 * Built at a fixed address, position-independent, and with zeros alone in the template
 * (-DONLY_ZEROS), which then lies behind the last segment (tls.ld).
 */
#include "page_walk.h"
#include "program_header.h"
#include "report.h"

#define MSR_FS_BASE 0xc0000100u
#define MOST_BYTES 4096u
#define ALIGN 64u

#ifdef ONLY_ZEROS
#define FIRST 0
#else
#define FIRST 0x0123456789abcdef
#endif
static __thread volatile uint64_t first = FIRST;
static __thread volatile uint8_t aligned __attribute__((aligned(ALIGN))) = FIRST & 0xff;
static __thread volatile uint64_t zeros[17];

/* The thread's copy, and behind it what FS points to. */
static uint8_t copy[MOST_BYTES + 8] __attribute__((aligned(ALIGN)));
void _start(const struct bootinfo *info);

static void check_template(const struct bootinfo *info)
{
    const struct program_header *tls = program_header_find(PT_TLS);

    if (!tls) {
        report_check(false, "the kernel has PT_TLS");
        return;
    }
    report_check(info->tls_template == tls->vaddr + info->kernel_slide,
                 "tls_template is where PT_TLS is mapped");
    report_check(info->tls_file_bytes == tls->file_bytes &&
                     info->tls_memory_bytes == tls->memory_bytes,
                 "the sizes of the template are those of PT_TLS");
    report_check(info->tls_align == tls->align && info->tls_align >= ALIGN,
                 "tls_align is that of PT_TLS");
    report_value("tls_file_bytes", info->tls_file_bytes);
    report_value("tls_template", info->tls_template);
}

/* A copy ends where FS points to, which is as aligned as the copy has to be, and holds its own
   address. */
static void check_copy(const struct bootinfo *info)
{
    const uint64_t bytes = (info->tls_memory_bytes + info->tls_align - 1) & ~(info->tls_align - 1);
    const uint64_t thread = (uint64_t)(uintptr_t)copy + bytes;
    bool zero = true;

    if (bytes > MOST_BYTES || info->tls_align > ALIGN) {
        report_check(false, "the copy fits");
        return;
    }
    for (uint64_t i = 0; i < bytes; i++)
        copy[i] = 0xff;
    for (uint64_t i = 0; i < info->tls_memory_bytes; i++)
        copy[i] = i < info->tls_file_bytes ? ((const uint8_t *)info->tls_template)[i] : 0;
    *(uint64_t *)thread = thread;
    __asm__ volatile("wrmsr"
                     :
                     : "c"(MSR_FS_BASE), "a"((uint32_t)thread), "d"((uint32_t)(thread >> 32))
                     : "memory");
    report_check(first == FIRST && aligned == (FIRST & 0xff),
                 "thread-local variables have their values in a copy");
    for (unsigned i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
        zero = zero && zeros[i] == 0;
    report_check(zero, "the others are zero");
    zeros[0] = first = 1;
    report_check(zeros[0] == 1 && first == 1, "they can be written");
}

static void check_relro(const struct bootinfo *info)
{
    const struct program_header *relro = program_header_find(PT_GNU_RELRO);
    bool read_only = true;
    uint64_t pages = 0, cr3;
    struct page page;

    __asm__("mov %%cr3, %0" : "=r"(cr3));
    if (relro) {
        const uint64_t start = relro->vaddr + info->kernel_slide;
        const uint64_t end = (start + relro->memory_bytes) & ~(uint64_t)(PAGE_BYTES - 1);
        uint64_t at = start & ~(uint64_t)(PAGE_BYTES - 1);

        for (; at < end; at += PAGE_BYTES, pages++)
            read_only = read_only && page_find(cr3, at, &page) && !page.writable;
    }
    report_check(read_only, "what PT_GNU_RELRO names is read-only where it is mapped");
    report_value("relro_pages", pages);
}

void _start(const struct bootinfo *info)
{
    report_entered();
    check_template(info);
    check_copy(info);
    check_relro(info);
    report_value("kernel_slide", info->kernel_slide);
    report_done();
}
