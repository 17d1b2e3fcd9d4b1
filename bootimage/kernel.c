/*
 * First step: the kernel ELF becomes a struct kernel.
 *
 * Nothing in the file is believed before it was compared with the file's size. Refused here is only
 * what no boot protocol could accept: some take a file that is no ELF file, by a header of their
 * own; libelf swaps nothing, as the file's bytes are little-endian. note.c reads what the kernel
 * asks for. request.c and protocol.c come next.
 */
#include "kernel.h"

#include "compressed.h"
#include "note.h"

#include <ar.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool cannot_open(const struct kernel *kernel, struct error *error)
{
    return error_set(error, "%s: cannot open: %s; %s [kernel-open]", kernel->path, strerror(errno),
                     errno == EACCES ? "give read permission" : "check the path");
}

static bool open_file(struct kernel *kernel, struct error *error)
{
    struct stat status;

    if (stat(kernel->path, &status) != 0)
        return cannot_open(kernel, error);
    if (S_ISDIR(status.st_mode))
        return error_set(error, "%s: is a folder; name the kernel's ELF file in it [kernel-folder]",
                         kernel->path);
    if (!S_ISREG(status.st_mode))
        return error_set(
            error, "%s: is not a regular file; name the kernel's ELF file [kernel-not-regular]",
            kernel->path);
    if (status.st_size == 0)
        return error_set(error, "%s: is empty; build the kernel again [kernel-empty]",
                         kernel->path);
    kernel->source = input_of(kernel->path, &status);
    kernel->fd = open(kernel->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (kernel->fd < 0)
        return cannot_open(kernel, error);
    if (!input_unchanged(&kernel->source, kernel->fd, error))
        return false;
    const int fd = kernel->fd;
    kernel->file = kernel->source;
    if (!compressed_open(&kernel->fd, kernel->path, error))
        return false;
    if (kernel->fd == fd)
        return true;
    if (fstat(kernel->fd, &status) != 0)
        return cannot_open(kernel, error);
    kernel->file = input_of(kernel->path, &status);
    kernel->file.fd = kernel->fd;
    return true;
}

/* The identification, from the raw bytes: libelf has one error for all that is wrong with it, and
   none for a file cut short inside its header. */
static bool check_identification(struct kernel *kernel, struct error *error)
{
    uint8_t start[sizeof(Elf64_Ehdr)] = {0};
    ssize_t bytes = pread(kernel->fd, start, sizeof(start), 0);

    if (bytes <= 0)
        return error_set(error, "%s: cannot read: %s [kernel-read]", kernel->path,
                         bytes < 0 ? strerror(errno) : "it was emptied just now");
    if (bytes >= SARMAG && memcmp(start, ARMAG, SARMAG) == 0)
        return error_set(error,
                         "%s: is an archive, not a kernel; link it to an ELF executable [archive]",
                         kernel->path);
    if (memcmp(start, ELFMAG, bytes < SELFMAG ? (size_t)bytes : SELFMAG) != 0)
        return true;
    const uint8_t class = start[EI_CLASS];
    size_t header_bytes = class == ELFCLASS32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);
    if ((size_t)bytes < header_bytes)
        return error_set(error,
                         "%s: is truncated: it has %zd bytes, but the ELF header alone takes %zu; "
                         "build the kernel again [elf-truncated]",
                         kernel->path, bytes, header_bytes);
    if (class != ELFCLASS64 && class != ELFCLASS32)
        return error_set(error,
                         "%s: has ELF class %u (EI_CLASS), which does not exist; build the "
                         "kernel again [elf-class]",
                         kernel->path, class);
    if (start[EI_DATA] == ELFDATA2MSB)
        return error_set(
            error, "%s: is big-endian; build the kernel for little-endian x86-64 [elf-byte-order]",
            kernel->path);
    if (start[EI_DATA] != ELFDATA2LSB || start[EI_VERSION] != EV_CURRENT)
        return error_set(error,
                         "%s: has byte order %u (EI_DATA) and ELF version %u (EI_VERSION), where 1 "
                         "and 1 are expected; build the kernel again [elf-identification]",
                         kernel->path, start[EI_DATA], start[EI_VERSION]);
    kernel->class = class;
    return true;
}

/* How many program headers there are: e_phnum, or sh_info of section 0 when they are too many for
   it [ELF "ELF Header", e_phnum]. elf_getphdrnum() is not asked, as it cuts the number to what the
   file holds without a word. */
static bool count_headers(struct kernel *kernel, const GElf_Ehdr *header, uint64_t *count,
                          struct error *error)
{
    GElf_Shdr section;

    *count = header->e_phnum;
    if (header->e_phnum != PN_XNUM)
        return true;
    Elf_Scn *first = header->e_shoff ? elf_getscn(kernel->elf, 0) : NULL;
    if (!first || !gelf_getshdr(first, &section))
        return error_set(
            error,
            "%s: e_phnum is 0xffff, but section 0, which would hold the number of "
            "program headers, cannot be read; build the kernel again [program-header-count]",
            kernel->path);
    *count = section.sh_info;
    return true;
}

static bool check_table(struct kernel *kernel, const GElf_Ehdr *header, uint64_t count,
                        struct error *error)
{
    uint64_t file_bytes = kernel->file.bytes;
    size_t known = 0;
    size_t entry_bytes = gelf_fsize(kernel->elf, ELF_T_PHDR, 1, EV_CURRENT);

    if (count == 0 || header->e_phoff == 0)
        return error_set(error,
                         "%s: has no program headers; link it to an executable, as by ld without "
                         "-r [no-program-headers]",
                         kernel->path);
    if (header->e_phentsize != entry_bytes)
        return error_set(error,
                         "%s: e_phentsize is %u, but a program header takes %zu bytes; build the "
                         "kernel again [program-header-size]",
                         kernel->path, header->e_phentsize, entry_bytes);
    if (header->e_phoff > file_bytes || count > (file_bytes - header->e_phoff) / entry_bytes)
        return error_set(error,
                         "%s: is truncated: %" PRIu64 " program headers at offset 0x%" PRIx64
                         " go past its end at 0x%" PRIx64
                         "; build the kernel again [elf-truncated]",
                         kernel->path, count, header->e_phoff, file_bytes);
    if (elf_getphdrnum(kernel->elf, &known) != 0 || known != count)
        return error_set(error, "%s: libelf cannot read the program headers: %s [libelf]",
                         kernel->path, elf_errmsg(-1));
    return true;
}

static bool check_segment(const struct kernel *kernel, const GElf_Phdr *header, uint32_t index,
                          struct error *error)
{
    uint64_t file_bytes = kernel->file.bytes;

    if (header->p_filesz > header->p_memsz)
        return error_set(error,
                         "%s: segment %" PRIu32 " has 0x%" PRIx64 " bytes in the file (p_filesz) "
                         "but 0x%" PRIx64
                         " in memory (p_memsz); build the kernel again [segment-file-size]",
                         kernel->path, index, header->p_filesz, header->p_memsz);
    if (header->p_filesz > 0 &&
        (header->p_offset > file_bytes || header->p_filesz > file_bytes - header->p_offset))
        return error_set(error,
                         "%s: is truncated: segment %" PRIu32 " is 0x%" PRIx64
                         " bytes at offset 0x%" PRIx64 ", past its end at 0x%" PRIx64
                         "; build the kernel again [elf-truncated]",
                         kernel->path, index, header->p_filesz, header->p_offset, file_bytes);
    if (header->p_memsz > UINT64_MAX - header->p_vaddr)
        return error_set(
            error,
            "%s: segment %" PRIu32 " of 0x%" PRIx64 " bytes at 0x%" PRIx64
            " goes past the end of the address space; link the kernel lower [segment-wraps]",
            kernel->path, index, header->p_memsz, header->p_vaddr);
    return true;
}

static bool add_segment(struct kernel *kernel, const GElf_Phdr *header, uint32_t index,
                        struct error *error)
{
    if (!check_segment(kernel, header, index, error))
        return false;
    if (header->p_memsz == 0)
        return true;
    kernel->segments[kernel->segment_count++] = (struct kernel_segment){
        .file_offset = header->p_offset,
        .vaddr = header->p_vaddr,
        .paddr = header->p_paddr,
        .memory_bytes = header->p_memsz,
        .file_bytes = header->p_filesz,
        .align = header->p_align ? header->p_align : 1,
        .index = index,
        .writable = header->p_flags & PF_W,
        .executable = header->p_flags & PF_X,
    };
    return true;
}

static bool read_dynamic(struct kernel *kernel, const GElf_Phdr *header, uint32_t index,
                         struct error *error)
{
    if (kernel->has_dynamic_table)
        return error_set(error,
                         "%s: segment %" PRIu32 " is a second PT_DYNAMIC; list .dynamic once under "
                         "PHDRS in the linker script [second-dynamic]",
                         kernel->path, index);
    if (!check_segment(kernel, header, index, error))
        return false;
    kernel->has_dynamic_table = true;
    if (kernel->class != ELFCLASS64)
        return true;
    return dynamic_read(&kernel->dynamic,
                        (struct input_piece){&kernel->file, header->p_offset, header->p_filesz},
                        error);
}

static bool read_tls(struct kernel *kernel, const GElf_Phdr *header, uint32_t index,
                     struct error *error)
{
    uint64_t align = header->p_align ? header->p_align : 1;

    if (header->p_memsz == 0)
        return true;
    if (kernel->tls.memory_bytes)
        return error_set(error,
                         "%s: segment %" PRIu32 " is a second template of thread-local storage "
                         "(PT_TLS); put .tdata and .tbss side by side in the linker script "
                         "[second-tls]",
                         kernel->path, index);
    if (header->p_filesz > header->p_memsz || (align & (align - 1)) != 0)
        return error_set(error,
                         "%s: segment %" PRIu32 " (PT_TLS) has 0x%" PRIx64 " bytes in the file, "
                         "0x%" PRIx64 " in memory and an alignment of 0x%" PRIx64
                         ", which cannot be; build the kernel again [tls-sizes]",
                         kernel->path, index, header->p_filesz, header->p_memsz, align);
    kernel->tls = (struct kernel_tls){
        .vaddr = header->p_vaddr,
        .file_bytes = header->p_filesz,
        .memory_bytes = header->p_memsz,
        .align = align,
    };
    return true;
}

static bool read_relro(struct kernel *kernel, const GElf_Phdr *header, uint32_t index,
                       struct error *error)
{
    if (header->p_memsz == 0)
        return true;
    if (kernel->relro.start < kernel->relro.end)
        return error_set(error,
                         "%s: segment %" PRIu32 " is a second PT_GNU_RELRO; link the kernel with "
                         "one, or with -z norelro [second-relro]",
                         kernel->path, index);
    if (header->p_memsz > UINT64_MAX - header->p_vaddr)
        return error_set(error,
                         "%s: segment %" PRIu32 " (PT_GNU_RELRO) of 0x%" PRIx64
                         " bytes at 0x%" PRIx64
                         " goes past the end of the address space; link the kernel lower "
                         "[segment-wraps]",
                         kernel->path, index, header->p_memsz, header->p_vaddr);
    kernel->relro = (struct kernel_relro){header->p_vaddr, header->p_vaddr + header->p_memsz};
    return true;
}

/* The template's bytes are loaded as those of a segment; so they have to lie in one. Zeros alone
   are no bytes, and linkers put them behind the last segment, too. */
static bool check_tls(const struct kernel *kernel, struct error *error)
{
    const struct kernel_tls *tls = &kernel->tls;

    if (tls->file_bytes == 0)
        return true;
    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];
        uint64_t bytes = segment->file_bytes;

        if (tls->vaddr >= segment->vaddr && tls->vaddr - segment->vaddr <= bytes &&
            tls->file_bytes <= bytes - (tls->vaddr - segment->vaddr))
            return true;
    }
    return error_set(error,
                     "%s: the template of thread-local storage (PT_TLS), 0x%" PRIx64
                     " bytes at 0x%" PRIx64
                     ", lies in no segment; put .tdata and .tbss into a PT_LOAD, too "
                     "[tls-not-loaded]",
                     kernel->path, tls->file_bytes, tls->vaddr);
}

static int compare_segments(const void *left, const void *right)
{
    const struct kernel_segment *a = left;
    const struct kernel_segment *b = right;

    if (a->vaddr != b->vaddr)
        return a->vaddr < b->vaddr ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static bool read_segments(struct kernel *kernel, uint64_t count, struct error *error)
{
    GElf_Phdr header;
    bool has_load = false;

    kernel->segments = calloc(count, sizeof(*kernel->segments));
    if (!kernel->segments)
        return error_out_of_memory(error);
    for (uint32_t i = 0; i < count; i++) {
        if (!gelf_getphdr(kernel->elf, (int)i, &header))
            return error_set(error,
                             "%s: libelf cannot read program header %" PRIu32 ": %s [libelf]",
                             kernel->path, i, elf_errmsg(-1));
        kernel->has_interpreter |= header.p_type == PT_INTERP;
        if (header.p_type == PT_DYNAMIC && !read_dynamic(kernel, &header, i, error))
            return false;
        if (header.p_type == PT_TLS && !read_tls(kernel, &header, i, error))
            return false;
        if (header.p_type == PT_GNU_RELRO && !read_relro(kernel, &header, i, error))
            return false;
        if (header.p_type != PT_LOAD)
            continue;
        has_load = true;
        if (!add_segment(kernel, &header, i, error))
            return false;
    }
    if (!has_load)
        return error_set(
            error, "%s: has no PT_LOAD, so nothing to load; link it to an executable [no-load]",
            kernel->path);
    if (kernel->segment_count == 0)
        return error_set(error,
                         "%s: every PT_LOAD is empty; check that the linker script keeps the "
                         "kernel's sections [empty-load]",
                         kernel->path);
    qsort(kernel->segments, kernel->segment_count, sizeof(*kernel->segments), compare_segments);
    return true;
}

static bool read_elf(struct kernel *kernel, struct error *error)
{
    GElf_Ehdr header;
    uint64_t count;

    if (elf_version(EV_CURRENT) == EV_NONE)
        return error_set(
            error, "this libelf does not know ELF version 1; install a newer one [libelf-version]");
    /* Not mapped, which a file that becomes shorter would end the program for. */
    kernel->elf = elf_begin(kernel->fd, ELF_C_READ, NULL);
    if (!kernel->elf || !gelf_getehdr(kernel->elf, &header))
        return error_set(error, "%s: libelf cannot read it: %s; build the kernel again [libelf]",
                         kernel->path, elf_errmsg(-1));
    kernel->machine = header.e_machine;
    kernel->type = header.e_type;
    kernel->entry_vaddr = header.e_entry;
    if (!count_headers(kernel, &header, &count, error) ||
        !check_table(kernel, &header, count, error) || !read_segments(kernel, count, error))
        return false;
    kernel->position_independent =
        kernel->type == ET_DYN ||
        (kernel->type == ET_EXEC && (kernel->dynamic.flags_1 & DF_1_PIE) != 0);
    return check_tls(kernel, error) && note_read(kernel, error);
}

bool kernel_open(struct kernel *kernel, const char *path, struct error *error)
{
    *kernel = (struct kernel){.path = path, .fd = -1};
    if (open_file(kernel, error) && check_identification(kernel, error) &&
        (kernel->class == 0 || read_elf(kernel, error)))
        return true;
    kernel_close(kernel);
    return false;
}

void kernel_close(struct kernel *kernel)
{
    module_free(&kernel->modules);
    free(kernel->own_record);
    free(kernel->sections.loaded);
    free(kernel->patches);
    free(kernel->relocations);
    free(kernel->requests);
    free(kernel->segments);
    if (kernel->elf)
        elf_end(kernel->elf);
    if (kernel->fd >= 0)
        close(kernel->fd);
    *kernel = (struct kernel){.fd = -1};
}
