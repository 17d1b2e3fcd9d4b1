/*
 * The kernel that is booted for time by the Limine boot protocol: it asks for what such a kernel
 * cannot do without, looks at the time stamp counter before all else, and reports it. Its payload
 * makes it as large as the benchmark wants it.
 */
#include "limine/limine.h"
#include "report.h"

#define REQUEST(name, id_2, id_3)                                                                  \
    __attribute__((used)) static volatile struct request name = {                                  \
        {COMMON_MAGIC, id_2, id_3}, 0, 0, {0, 0, 0}};

__attribute__((used)) static volatile uint64_t tag[3] = {0xf9562b2d5c95a6c8, TAG_MAGIC_1, 3};
REQUEST(hhdm, 0x48dcf1cb8ad2b852, 0x63984e959a98244b)
REQUEST(memmap, 0x67cf3d9d378a806f, 0xe304acdfc50c3c62)
REQUEST(executable_address, 0x71ba76863cc55f63, 0xb2644a48c516a487)
REQUEST(rsdp, 0xc5e77b6b397e7b43, 0x27637845accdcf3c)

_Noreturn void _start(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    report_entered();
    report_check(tag[2] == 0 && hhdm.response && memmap.response && rsdp.response, "answers");
    report_value("start", (uint64_t)high << 32 | low);
    report_done();
}
