/*
 * What a boot on UEFI is compared with: an application that reads as many sectors as its command
 * line says from the start of the disk, by one call of Block I/O, and reports the ticks of the time
 * stamp counter on port 0xE9; and then how many it takes to leave the firmware.
 */
#include <stdint.h>

#include <efi.h>

#define DEBUG_CONSOLE 0xe9
#define SECTOR_BYTES 512u
#define PAGE_BYTES 4096u
#define FOUR_GIB 0x100000000ull

EFI_STATUS EFIAPI floor_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static uint64_t tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void print(const char *text)
{
    for (; *text; text++)
        __asm__ volatile("outb %0, %w1" : : "a"(*text), "Nd"(DEBUG_CONSOLE));
}

static void print_hex(uint64_t value)
{
    char digit[2] = {0};

    for (int shift = 60; shift >= 0; shift -= 4) {
        digit[0] = "0123456789abcdef"[value >> shift & 0xf];
        print(digit);
    }
}

static UINT64 number(const EFI_LOADED_IMAGE *loaded)
{
    const CHAR16 *text = loaded->LoadOptions;
    UINT64 value = 0;

    for (UINTN i = 0; i < loaded->LoadOptionsSize / sizeof(*text); i++) {
        if (text[i] >= '0' && text[i] <= '9')
            value = value * 10 + text[i] - '0';
    }
    return value;
}

/* The only disk, with a driver: QEMU's -kernel starts applications before there is any. */
static EFI_BLOCK_IO *find_disk(EFI_BOOT_SERVICES *services)
{
    EFI_GUID guid = EFI_BLOCK_IO_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count = 0;

    services->LocateHandleBuffer(AllHandles, NULL, NULL, &count, &handles);
    for (UINTN i = 0; i < count; i++)
        services->ConnectController(handles[i], NULL, NULL, TRUE);
    count = 0;
    services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles);
    for (UINTN i = 0; i < count; i++) {
        EFI_BLOCK_IO *io;

        services->HandleProtocol(handles[i], &guid, (void **)&io);
        if (!io->Media->LogicalPartition && io->Media->MediaPresent)
            return io;
    }
    return NULL;
}

static void leave(EFI_BOOT_SERVICES *services, EFI_HANDLE image)
{
    static uint8_t map[0x10000];
    UINTN bytes = sizeof(map), key, descriptor_bytes;
    UINT32 version;

    services->GetMemoryMap(&bytes, (EFI_MEMORY_DESCRIPTOR *)(void *)map, &key, &descriptor_bytes,
                           &version);
    services->ExitBootServices(image, key);
}

EFI_STATUS EFIAPI floor_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
    EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_PHYSICAL_ADDRESS to = FOUR_GIB - 1;
    EFI_BOOT_SERVICES *services = system->BootServices;
    EFI_LOADED_IMAGE *loaded;
    EFI_BLOCK_IO *io = find_disk(services);

    services->HandleProtocol(image, &guid, (void **)&loaded);
    const UINT64 bytes = number(loaded) * SECTOR_BYTES;
    if (!io || EFI_ERROR(services->AllocatePages(AllocateMaxAddress, EfiLoaderData,
                                                 bytes / PAGE_BYTES + 1, &to)))
        return EFI_NOT_FOUND;
    const uint64_t start = tsc();
    EFI_STATUS status = io->ReadBlocks(io, io->Media->MediaId, 0, bytes, (void *)(uintptr_t)to);
    const uint64_t end = tsc();
    leave(services, image);
    const uint64_t left = tsc();
    print(EFI_ERROR(status) ? "failed\n" : "# read = 0x");
    print_hex(end - start);
    print("\n# leave = 0x");
    print_hex(left - end);
    print("\ndone\n");
    for (;;)
        __asm__ volatile("cli; hlt");
}
