/*
 * The tool and the core together: an image that the tool made, booted up to the jump. Arguments:
 * the kernel's ELF, its image, its command line.
 */
#include "checksum.h"
#include "contract.h"
#include "fake_firmware.h"
#include "loader.h"
#include "page_walk.h"

#include <bootimage/image.h>

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 0x1000ull
#define SEGMENTS 3
#define STACK_BYTES 0x10000

struct file {
    uint8_t *bytes;
    size_t size;
};

static struct file elf, image;
static const char *command_line;
static struct firmware_boot boot;

static bool read_file(struct file *file, const char *path)
{
    FILE *stream = fopen(path, "rb");

    if (!stream || fseek(stream, 0, SEEK_END) != 0)
        return false;
    file->size = (size_t)ftell(stream);
    file->bytes = malloc(file->size);
    rewind(stream);
    bool done = file->bytes && fread(file->bytes, 1, file->size, stream) == file->size;
    fclose(stream);
    return done;
}

static void boot_it(void *argument)
{
    (void)argument;
    loader_main(&boot);
}

/* As the front end does it: the header tells where the plan is. */
static void read_header(void)
{
    struct image_header header;
    struct image_mbr mbr;

    assert_true(image.size >= IMAGE_MINIMUM_BYTES);
    memcpy(&mbr, image.bytes, sizeof(mbr));
    memcpy(&header, image.bytes + IMAGE_HEADER_LBA * IMAGE_SECTOR_BYTES, sizeof(header));
    boot = (struct firmware_boot){
        .plan_lba = header.plan_lba,
        .plan_bytes = header.plan_bytes,
        .image_id = header.image_id,
        .boot_drive = 0x80,
        .tsc_stage1 = 1,
        .tsc_stage2 = 2,
    };
    memcpy(&boot.disk_signature, mbr.disk_signature, sizeof(boot.disk_signature));
    fake_firmware.disk = image.bytes;
    fake_firmware.disk_bytes = header.image_sectors * IMAGE_SECTOR_BYTES;

    uint32_t crc32 = header.crc32;
    header.crc32 = 0;
    assert_int_equal(checksum_crc32(&header, sizeof(header)), crc32);
}

static const Elf64_Ehdr *elf_header(void)
{
    return (const void *)elf.bytes;
}

/* The n-th PT_LOAD. */
static const Elf64_Phdr *segment(size_t n)
{
    const Elf64_Phdr *header = (const void *)(elf.bytes + elf_header()->e_phoff);

    for (;; header++) {
        if (header->p_type == PT_LOAD && n-- == 0)
            return header;
    }
}

static void check_bytes(const Elf64_Phdr *header)
{
    for (uint64_t i = 0; i < header->p_memsz; i++) {
        uint8_t wanted = i < header->p_filesz ? elf.bytes[header->p_offset + i] : 0;

        assert_int_equal(*(uint8_t *)contract_at(header->p_vaddr + i), wanted);
    }
}

static uint32_t rights_of(const Elf64_Phdr *header)
{
    return (header->p_flags & PF_W ? PLAN_WRITABLE : 0) |
           (header->p_flags & PF_X ? PLAN_EXECUTABLE : 0);
}

static void an_image_of_the_tool_boots(void **state)
{
    struct contract_pages pages[SEGMENTS];

    (void)state;
    fake_start();
    read_header();
    assert_int_equal(fake_run(boot_it, NULL), FAKE_ENTERED);

    const struct bootinfo *info = contract_bootinfo();
    for (size_t i = 0; i < SEGMENTS; i++) {
        const Elf64_Phdr *header = segment(i);
        uint64_t start = header->p_vaddr & ~(PAGE - 1);
        uint64_t end = (header->p_vaddr + header->p_memsz + PAGE - 1) & ~(PAGE - 1);

        check_bytes(header);
        pages[i] = (struct contract_pages){start, end - start, 0, rights_of(header), 0};
        pages[i].paddr = info->kernel_paddr + (start - pages[0].vaddr);
    }
    const struct contract_pages *last = &pages[SEGMENTS - 1];
    const struct contract_memory memory = {info->kernel_paddr,
                                           last->vaddr + last->bytes - pages[0].vaddr};
    const struct contract_kernel kernel = {
        .boot = boot,
        .entry_vaddr = elf_header()->e_entry,
        .stack_bytes = STACK_BYTES,
        .command_line = command_line,
        .lowest_vaddr = pages[0].vaddr,
        .lowest_paddr = info->kernel_paddr,
        .pages = pages,
        .page_count = SEGMENTS,
        .memory = &memory,
        .memory_count = 1,
    };
    contract_check(&kernel);
    assert_in_range(info->kernel_paddr, FAKE_RAM_PADDR, FAKE_RAM_END - memory.bytes);
    if (segment(0)->p_paddr >= FAKE_RAM_PADDR && segment(0)->p_paddr < FAKE_RAM_END)
        assert_int_equal(info->kernel_paddr, segment(0)->p_paddr);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_image_of_the_tool_boots)};

    if (argc != 4 || !read_file(&elf, argv[1]) || !read_file(&image, argv[2])) {
        fprintf(stderr, "usage: %s KERNEL IMAGE COMMAND-LINE\n", argv[0]);
        return 2;
    }
    command_line = argv[3];
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    free(elf.bytes);
    free(image.bytes);
    return failures;
}
