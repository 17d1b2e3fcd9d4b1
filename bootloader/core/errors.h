/*
 * Everything that can stop a boot: number, name, what is said, cause and cure. Numbers are part of
 * the product: they are printed as E<number>, documented, and never reused.
 *
 * The loader prints `bootimage: E<number> <text>` and, where it knows more, a place and numbers.
 * Stage 1 has no room for words: it prints the number and the status of the BIOS.
 */
#ifndef BOOTLOADER_CORE_ERRORS_H
#define BOOTLOADER_CORE_ERRORS_H

/* clang-format off */
/*  X(number, NAME, text, cause, cure); a warning W<number> has a table of its own: the boot goes on. */
#define ERROR_TABLE(X)                                                                             \
    X(1, STAGE1_READ, "cannot read the loader from the boot disk",                                 \
      "The BIOS failed to read the sectors behind the boot sector, again after resets.",           \
      "Write the image anew, whole, to a disk that works.")                                        \
    X(2, STAGE1_DRIVE, "the boot drive is not usable",                                             \
      "The BIOS knows no geometry of the drive that it booted, or named one with another system.",   \
      "Attach the image as a hard disk, the first one.")                                           \
    X(3, STAGE2_DAMAGED, "the loader on the disk is damaged",                                      \
      "The loader's checksum does not agree with its bytes: the disk or the copy is bad.",         \
      "Write the image anew.")                                                                     \
    X(4, NO_LONG_MODE, "this CPU has no 64-bit mode",                                              \
      "The kernel is x86-64 and the CPU is older, or an emulator was told to be so.",              \
      "Use an x86-64 CPU; in QEMU, qemu-system-x86_64 without -cpu.")                              \
    X(5, LOW_MEMORY, "too little memory below 640 KiB",                                            \
      "The BIOS keeps more of the first 640 KiB than the loader can do without.",                  \
      "Disable option ROMs, such as network boot, in the firmware's setup.")                       \
    X(6, A20_CLOSED, "cannot open the A20 gate",                                                   \
      "No known way let address line 20 through, so half of the memory cannot be reached.",        \
      "Look for an A20 or legacy setting in the firmware's setup.")                                \
    X(7, HEADER_DAMAGED, "the image's header is damaged",                                          \
      "Sector 1 has no valid checksum, or was written for another version of the loader.",         \
      "Write the image anew; nothing else may write to sector 1.")                                 \
    X(8, DISK_READ, "cannot read the boot disk",                                                   \
      "The BIOS reported an error, again after resets and with smaller transfers.",                \
      "Write the image anew, to a disk that works.")                                               \
    X(9, DISK_SHORT, "the boot disk is shorter than the image",                                    \
      "The image was cut when it was copied, or the disk is too small for it.",                    \
      "Copy the whole image to a disk that holds it.")                                             \
    X(10, NO_MEMORY_MAP, "the firmware gives no memory map",                                       \
      "Int 15h E820, E801 and 88h all failed or made no sense.",                                   \
      "Update the firmware.")                                                                      \
    X(11, MEMORY_MAP_FULL, "the firmware's memory map has too many entries",                       \
      "The map does not fit into the free memory below 640 KiB.",                                  \
      "Disable option ROMs or update the firmware.")                                               \
    X(12, PLAN_DAMAGED, "the image's load plan is damaged",                                        \
      "The checksum of the plan does not agree, or a record in it makes no sense.",                \
      "Write the image anew.")                                                                     \
    X(13, PLAN_UNKNOWN, "the load plan asks for what this loader cannot do",                       \
      "The plan has a required record, or a boot protocol, that this loader does not know.",       \
      "Make the image with one version of bootimage.")                                             \
    X(14, NO_MEMORY, "too little memory",                                                          \
      "No free range of RAM between 1 MiB and 4 GiB is large enough.",                             \
      "Give the machine more memory, or make the kernel smaller.")                                 \
    X(15, PAYLOAD_DAMAGED, "the kernel on the disk is damaged",                                    \
      "The checksum of a segment or module does not agree with the bytes that were read.",         \
      "Write the image anew; check the disk.")                                                     \
    X(16, EXCEPTION, "the loader crashed",                                                         \
      "The CPU raised an exception inside the loader: a defect of the loader or broken hardware.", \
      "Report the whole line.")                                                                    \
    X(17, LESS_MEMORY, "less memory than the kernel asks for",                                     \
      "The kernel's note asks for more usable memory than this machine has.",                      \
      "Give the machine more memory.")                                                             \
    X(18, NO_FIVE_LEVELS, "this CPU has no 5-level paging",                                        \
      "The kernel's note asks for page tables with 5 levels, which the CPU does not have.",        \
      "Use a newer CPU (in QEMU -cpu max,la57=on), or make the request optional.")                 \
    X(19, NO_FRAMEBUFFER, "no framebuffer as the kernel asks for",                                 \
      "The firmware offers no video mode of the kind that the kernel's note asks for.",            \
      "Ask for any size (0), or make the request optional.")                                       \
    X(20, ADDRESS_WIDTH, "this CPU cannot reach an address that the kernel asks for",              \
      "A mapping in the kernel's notes has physical addresses above those of this CPU.",           \
      "Correct the address, or make the request optional.")                                        \
    X(21, NO_DISK, "cannot find the disk that the loader came from",                               \
      "No disk that the UEFI firmware knows carries the image's header or its plan.",              \
      "Write the whole image to a disk with sectors of 512 bytes, not only its EFI partition.")    \
    X(22, LEAVE, "the firmware does not let go",                                                   \
      "ExitBootServices failed again and again, always with a new memory map.",                    \
      "Update the firmware, or switch off what it starts in its setup.")                           \
    X(23, UEFI_ONLY, "this image boots on UEFI only",                                              \
      "The image was made by --firmware=uefi, and this machine's firmware is a BIOS.",             \
      "Make the image anew without that option.")                                                  \
    X(24, PLACE_TAKEN, "the kernel's place in memory is not free",                                 \
      "The kernel starts without paging, so it lies where it is linked; but the firmware keeps that.", \
      "Link the kernel elsewhere, or let it be moved (Multiboot 2), or use another protocol.")     \
    X(25, BIOS_ONLY, "this kernel needs a BIOS",                                                   \
      "The kernel starts in 16-bit code that calls the BIOS, and this machine's firmware is UEFI.", \
      "Start the machine with its BIOS (legacy mode, CSM), or use a kernel for UEFI.")
#define WARNING_TABLE(X)                                                                           \
    X(1, WEAK_RANDOM, "the kernel's random address comes from clocks",                             \
      "The CPU has neither RDSEED nor RDRAND; the TSC and the real-time clock can be guessed.",    \
      "Use a newer CPU, or do without a random address.")
/* clang-format on */

enum error_number {
#define ERROR_NUMBER(number, name, text, cause, cure) ERROR_##name = (number),
    ERROR_TABLE(ERROR_NUMBER)
#undef ERROR_NUMBER
};

enum warning_number {
#define WARNING_NUMBER(number, name, text, cause, cure) WARNING_##name = (number),
    WARNING_TABLE(WARNING_NUMBER)
#undef WARNING_NUMBER
};

#endif
