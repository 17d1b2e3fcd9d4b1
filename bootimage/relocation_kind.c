/*
 * Second step, continued: says why a relocation is refused.
 *
 * Names and numbers are those of the psABI [AMD64 psABI §4.4.1 "Relocation Types"], also of kinds
 * that linkers only leave behind in error: who reads the message looks for them.
 */
#include "relocation_kind.h"

#include <elf.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

static const char *const names[] = {
    [R_X86_64_64] = "64",
    [R_X86_64_PC32] = "PC32",
    [R_X86_64_GOT32] = "GOT32",
    [R_X86_64_PLT32] = "PLT32",
    [R_X86_64_COPY] = "COPY",
    [R_X86_64_GLOB_DAT] = "GLOB_DAT",
    [R_X86_64_JUMP_SLOT] = "JUMP_SLOT",
    [R_X86_64_RELATIVE] = "RELATIVE",
    [R_X86_64_GOTPCREL] = "GOTPCREL",
    [R_X86_64_32] = "32",
    [R_X86_64_32S] = "32S",
    [R_X86_64_16] = "16",
    [R_X86_64_PC16] = "PC16",
    [R_X86_64_8] = "8",
    [R_X86_64_PC8] = "PC8",
    [R_X86_64_DTPMOD64] = "DTPMOD64",
    [R_X86_64_DTPOFF64] = "DTPOFF64",
    [R_X86_64_TPOFF64] = "TPOFF64",
    [R_X86_64_TLSGD] = "TLSGD",
    [R_X86_64_TLSLD] = "TLSLD",
    [R_X86_64_DTPOFF32] = "DTPOFF32",
    [R_X86_64_GOTTPOFF] = "GOTTPOFF",
    [R_X86_64_TPOFF32] = "TPOFF32",
    [R_X86_64_PC64] = "PC64",
    [R_X86_64_GOTOFF64] = "GOTOFF64",
    [R_X86_64_GOTPC32] = "GOTPC32",
    [R_X86_64_SIZE32] = "SIZE32",
    [R_X86_64_SIZE64] = "SIZE64",
    [R_X86_64_TLSDESC] = "TLSDESC",
    [R_X86_64_IRELATIVE] = "IRELATIVE",
    [R_X86_64_RELATIVE64] = "RELATIVE64",
};

static const char *cure(uint32_t kind, const struct relocation_symbol *symbol)
{
    switch (kind) {
    case R_X86_64_IRELATIVE:
        return "build the kernel without indirect functions (IFUNC)";
    case R_X86_64_DTPMOD64:
    case R_X86_64_DTPOFF64:
    case R_X86_64_TPOFF64:
    case R_X86_64_TLSDESC:
        return "compile the kernel with -ftls-model=local-exec";
    case R_X86_64_32:
    case R_X86_64_32S:
    case R_X86_64_16:
    case R_X86_64_8:
    case R_X86_64_PC32:
    case R_X86_64_PC64:
        return "compile the kernel with -fPIE, all of it, and link it with -static -pie "
               "-Bsymbolic";
    default:
        return symbol->undefined
                   ? "define the symbol, and link the kernel with -static -pie --no-undefined"
                   : "link the kernel with -static -pie -Bsymbolic";
    }
}

bool relocation_kind_refuse(const char *path, uint32_t kind, uint64_t vaddr,
                            const struct relocation_symbol *symbol, struct error *error)
{
    const char *name = kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
    char number[32];
    char against[RELOCATION_NAME_BYTES + 32] = "";

    snprintf(number, sizeof(number), "%" PRIu32, kind);
    if (*symbol->name)
        snprintf(against, sizeof(against), " against `%s'", symbol->name);
    else if (symbol->index > 0)
        snprintf(against, sizeof(against), " against symbol %" PRIu32, symbol->index);
    return error_set(error,
                     "%s: relocation %s%s%s at 0x%" PRIx64 " needs a dynamic linker, and there is "
                     "none at boot; %s [relocation-kind]",
                     path, name ? "R_X86_64_" : "of kind ", name ? name : number, against, vaddr,
                     cure(kind, symbol));
}
