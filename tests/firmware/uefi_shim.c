/*
 * A firmware that is less kind than OVMF: an application that QEMU's -kernel starts, puts quirks
 * between the firmware and whatever it starts, and starts the loader from the disk as the firmware
 * would. The command line names the quirks:
 *
 * - exit-never: ExitBootServices() always calls the map's key an old one; exit-late: five times
 * - map: descriptors of 64 bytes with junk behind the 40 that are known, and between them 3,000
 * that are empty, of types that nobody knows, or of memory that cannot be cached
 * - read-128: Block I/O fails reads of more than 128 sectors; read-1: of more than one
 * - align: disks read to whole pages of memory alone, and say so
 * - high: the loader runs above 4 GiB
 * - no-execute: AllocatePages() gives large pieces of memory alone, which cannot be executed
 * - blt-all: the screen has no mode with pixels in memory; blt-current: the mode that is set has
 * none
 * - several: such a screen, and behind it one that shows what is drawn
 * - not-started: the screen says nothing before a mode is set
 * - masks: its pixels are described by masks
 * - far: its pixels lie above 4 GiB, red first, and nobody sees them
 * - edid: it has an EDID of 256 bytes that count up
 *
 * Whoever leaves the watchdog on cannot leave the firmware.
 */
#include <stdbool.h>
#include <stdint.h>

#include <efi.h>

#define MORE_DESCRIPTORS 3000u
#define DESCRIPTOR_BYTES 64u
#define LATE_TIMES 5
#define FOUR_GIB 0x100000000ull
#define FAR_SCREEN 0x110000000ull
#define FAR_SCREEN_PAGES 0x1000u
#define JUNK 0xA5
/* Offsets in a PE file, and from its optional header on; a kind of relocation. */
#define PE_HEADER 0x3c
#define PE_OPTIONAL_HEADER 24
#define PE_ENTRY 16
#define PE_RELOCATIONS 152
#define PE_DIR64 10
/* Page tables with pages of 2 MiB. */
#define PAGE_PRESENT 0x1ull
#define PAGE_LARGE 0x80ull
#define PAGE_NO_EXECUTE (1ull << 63)
#define PAGE_ADDRESS 0x000ffffffffff000ull
#define PAGE_BYTES 4096u
#define LARGE_SHIFT 21
#define LARGE_PIECE_BYTES 0x4000000u
#define LARGE_BYTES (1ull << LARGE_SHIFT)
#define CR0_WP (1ull << 16)
#define CR4_LA57 (1ull << 12)
#define MSR_EFER 0xc0000080u
#define EFER_NXE 0x800u

static EFI_BOOT_SERVICES *services;
static EFI_GET_MEMORY_MAP get_memory_map;
static EFI_EXIT_BOOT_SERVICES exit_boot_services;
static EFI_SET_WATCHDOG_TIMER set_watchdog_timer;
static EFI_BLOCK_READ read_blocks;
static EFI_ALLOCATE_PAGES allocate_pages;
static UINT64 most_read_bytes;
static int refusals;
static bool is_watchdog_off;

EFI_STATUS EFIAPI shim_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static void copy(uint8_t *to, const uint8_t *from, UINTN bytes)
{
    for (UINTN i = 0; i < bytes; i++)
        to[i] = from[i];
}

static uint32_t load32(const uint8_t *at)
{
    uint32_t value;

    copy((uint8_t *)&value, at, sizeof(value));
    return value;
}

static EFI_STATUS EFIAPI refuse_exit(EFI_HANDLE image, UINTN key)
{
    if (refusals == 0 && is_watchdog_off)
        return exit_boot_services(image, key);
    refusals -= refusals > 0;
    return EFI_INVALID_PARAMETER;
}

static EFI_STATUS EFIAPI watch_watchdog(UINTN seconds, UINT64 code, UINTN bytes, CHAR16 *text)
{
    is_watchdog_off = seconds == 0;
    return set_watchdog_timer(seconds, code, bytes, text);
}

/* A descriptor that says nothing which a loader may use; none overlaps what the firmware says. */
static EFI_MEMORY_DESCRIPTOR odd_descriptor(UINTN number)
{
    const UINT64 far = 1ull << 44;

    switch (number % 3) {
    case 0: /* empty, in the middle of everything */
        return (EFI_MEMORY_DESCRIPTOR){
            .Type = EfiReservedMemoryType, .PhysicalStart = number << 12, .Attribute = 8};
    case 1: /* an OEM's own type */
        return (EFI_MEMORY_DESCRIPTOR){.Type = 0x70000000u + (UINT32)number,
                                       .PhysicalStart = far + (number << 14),
                                       .NumberOfPages = 1,
                                       .Attribute = 8};
    default: /* free, but not memory */
        return (EFI_MEMORY_DESCRIPTOR){.Type = EfiConventionalMemory,
                                       .PhysicalStart = far + (number << 14),
                                       .NumberOfPages = 2,
                                       .Attribute = 1};
    }
}

static void put(uint8_t *to, const EFI_MEMORY_DESCRIPTOR *descriptor)
{
    for (UINTN i = 0; i < DESCRIPTOR_BYTES; i++)
        to[i] = JUNK;
    copy(to, (const uint8_t *)descriptor, sizeof(*descriptor));
}

/* The odd ones come first: a list that is not sorted. */
static EFI_STATUS EFIAPI odd_map(UINTN *bytes, EFI_MEMORY_DESCRIPTOR *map, UINTN *key,
                                 UINTN *descriptor_bytes, UINT32 *version)
{
    static uint8_t real[0x10000];
    UINTN real_bytes = sizeof(real), real_descriptor_bytes;
    EFI_STATUS status = get_memory_map(&real_bytes, (EFI_MEMORY_DESCRIPTOR *)(void *)real, key,
                                       &real_descriptor_bytes, version);
    uint8_t *to = (uint8_t *)map;

    if (status != EFI_SUCCESS)
        return status;
    UINTN count = real_bytes / real_descriptor_bytes;
    UINTN needed = (count + MORE_DESCRIPTORS) * DESCRIPTOR_BYTES;
    *descriptor_bytes = DESCRIPTOR_BYTES;
    if (*bytes < needed) {
        *bytes = needed;
        return EFI_BUFFER_TOO_SMALL;
    }
    *bytes = needed;
    for (UINTN i = 0; i < MORE_DESCRIPTORS; i++, to += DESCRIPTOR_BYTES) {
        const EFI_MEMORY_DESCRIPTOR odd = odd_descriptor(i);

        put(to, &odd);
    }
    for (UINTN i = 0; i < count; i++, to += DESCRIPTOR_BYTES)
        put(to, (const EFI_MEMORY_DESCRIPTOR *)(const void *)(real + i * real_descriptor_bytes));
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_little(EFI_BLOCK_IO *io, UINT32 media, EFI_LBA lba, UINTN bytes,
                                     void *to)
{
    if (((uintptr_t)to & (io->Media->IoAlign - 1)) != 0 && io->Media->IoAlign > 1)
        return EFI_INVALID_PARAMETER;
    return bytes > most_read_bytes ? EFI_DEVICE_ERROR : read_blocks(io, media, lba, bytes, to);
}

static bool asks_for(const EFI_LOADED_IMAGE *loaded, const char *quirk)
{
    const CHAR16 *text = loaded->LoadOptions;
    const UINTN count = loaded->LoadOptionsSize / sizeof(*text);

    for (UINTN start = 0; start < count; start++) {
        UINTN i = 0;

        while (quirk[i] && start + i < count && text[start + i] == (CHAR16)quirk[i])
            i++;
        if (!quirk[i])
            return true;
    }
    return false;
}

static void connect_all(void)
{
    EFI_HANDLE *handles;
    UINTN count;

    services->LocateHandleBuffer(AllHandles, NULL, NULL, &count, &handles);
    for (UINTN i = 0; i < count; i++)
        services->ConnectController(handles[i], NULL, NULL, TRUE);
}

/* Of the disks themselves, not of partitions: the file system may read as it likes. */
static void limit_reads(bool aligns)
{
    EFI_GUID guid = EFI_BLOCK_IO_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count = 0;

    services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles);
    for (UINTN i = 0; i < count; i++) {
        EFI_BLOCK_IO *io;

        services->HandleProtocol(handles[i], &guid, (void **)&io);
        if (io->Media->LogicalPartition)
            continue;
        if (aligns)
            io->Media->IoAlign = PAGE_BYTES;
        read_blocks = io->ReadBlocks;
        io->ReadBlocks = read_little;
    }
}

/* The path of \EFI\BOOT\BOOTX64.EFI on the file system of this handle. */
static EFI_DEVICE_PATH *file_path(EFI_HANDLE handle)
{
    static const CHAR16 name[] = u"\\EFI\\BOOT\\BOOTX64.EFI";
    static uint8_t path[1024];
    EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
    EFI_DEVICE_PATH *start;
    UINTN used = 0;

    services->HandleProtocol(handle, &guid, (void **)&start);
    while (!IsDevicePathEnd((EFI_DEVICE_PATH *)(void *)((uint8_t *)start + used)))
        used += (UINTN)DevicePathNodeLength((EFI_DEVICE_PATH *)(void *)((uint8_t *)start + used));
    copy(path, (const uint8_t *)start, used);
    const UINTN node_bytes = sizeof(EFI_DEVICE_PATH) + sizeof(name);
    const uint8_t node[] = {MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, (uint8_t)node_bytes, 0};
    const uint8_t end[] = {END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0};
    copy(path + used, node, sizeof(node));
    copy(path + used + sizeof(node), (const uint8_t *)name, sizeof(name));
    copy(path + used + node_bytes, end, sizeof(end));
    return (EFI_DEVICE_PATH *)(void *)path;
}

/* The entry of the firmware's page tables that maps the 2 MiB at an address; NULL: it is another
   size. */
static uint64_t *large_page(uint64_t vaddr)
{
    uint64_t cr3, cr4, *table;

    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    table = (uint64_t *)(cr3 & PAGE_ADDRESS);
    for (int shift = cr4 & CR4_LA57 ? 48 : 39; shift > LARGE_SHIFT; shift -= 9) {
        const uint64_t entry = table[vaddr >> shift & 511];

        if (!(entry & PAGE_PRESENT) || (entry & PAGE_LARGE))
            return NULL;
        table = (uint64_t *)(entry & PAGE_ADDRESS);
    }
    uint64_t *entry = &table[vaddr >> LARGE_SHIFT & 511];
    return (*entry & PAGE_PRESENT) && (*entry & PAGE_LARGE) ? entry : NULL;
}

/* From the first whole large page on; the last may be one in part, as free memory follows there. */
static void forbid_execution(uint64_t start, uint64_t end)
{
    uint64_t cr0, cr3;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~CR0_WP)); /* the tables may be read-only */
    start = (start + LARGE_BYTES - 1) & ~(LARGE_BYTES - 1);
    for (uint64_t at = start; at < end; at += LARGE_BYTES) {
        uint64_t *entry = large_page(at);

        if (entry)
            *entry |= PAGE_NO_EXECUTE;
    }
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
    __asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(cr3) : : "memory");
}

/* Only large pieces at an address of choice: in the same large page as a small one there may be
   code of the firmware's own. */
static EFI_STATUS EFIAPI allocate_data(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN pages,
                                       EFI_PHYSICAL_ADDRESS *paddr)
{
    if (how != AllocateAddress)
        return allocate_pages(how, type, pages, paddr);
    if (pages * PAGE_BYTES < LARGE_PIECE_BYTES)
        return EFI_OUT_OF_RESOURCES;
    EFI_STATUS status = allocate_pages(how, type, pages, paddr);
    if (status == EFI_SUCCESS)
        forbid_execution(*paddr, *paddr + pages * PAGE_BYTES);
    return status;
}

static void enable_no_execute(void)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_EFER));
    __asm__ volatile("wrmsr" : : "a"(low | EFER_NXE), "d"(high), "c"(MSR_EFER));
}

/* Copy a loaded image to 4 GiB and up, and give its entry there [PE "PE Format"]. */
static EFI_IMAGE_ENTRY_POINT move_up(EFI_LOADED_IMAGE *loader)
{
    const uint8_t *from = loader->ImageBase;
    EFI_PHYSICAL_ADDRESS to = FOUR_GIB;
    uint8_t *image = (uint8_t *)FOUR_GIB;

    if (EFI_ERROR(services->AllocatePages(AllocateAddress, EfiLoaderCode,
                                          (loader->ImageSize + 4095) / 4096, &to)))
        return NULL;
    copy(image, from, loader->ImageSize);
    const uint8_t *header = image + load32(image + PE_HEADER) + PE_OPTIONAL_HEADER;
    const uint8_t *block = image + load32(header + PE_RELOCATIONS);
    const uint8_t *end = block + load32(header + PE_RELOCATIONS + 4);
    for (; block < end; block += load32(block + 4)) {
        for (uint32_t i = 8; i < load32(block + 4); i += 2) {
            const uint32_t entry = load32(block + i) & 0xffff;
            uint64_t *patched = (uint64_t *)(void *)(image + load32(block) + (entry & 0xfff));

            if (entry >> 12 == PE_DIR64)
                *patched += FOUR_GIB - (uintptr_t)from;
        }
    }
    loader->ImageBase = image;
    return (EFI_IMAGE_ENTRY_POINT)(uintptr_t)(image + load32(header + PE_ENTRY));
}

/* The screen: what OVMF has, and what the loader sees of it. */
static struct {
    EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
    EFI_HANDLE handle;
    EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode;
    EFI_GRAPHICS_OUTPUT_PROTOCOL_QUERY_MODE query_mode;
    EFI_GRAPHICS_OUTPUT_PROTOCOL_SET_MODE set_mode;
    EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE told_mode;
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION told_info;
    UINT32 first_mode;
    bool is_started, blt_all, blt_current, masks, far;
} screen;

static void spoil_info(UINT32 number, EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info)
{
    if (screen.blt_all || (screen.blt_current && number == screen.first_mode))
        info->PixelFormat = PixelBltOnly;
    if (screen.masks) {
        info->PixelFormat = PixelBitMask;
        info->PixelInformation = (EFI_PIXEL_BITMASK){0xff0000, 0xff00, 0xff, 0xff000000};
    }
    if (screen.far)
        info->PixelFormat = PixelRedGreenBlueReserved8BitPerColor;
}

/* Pixels that nobody may touch have an address, too. */
static void spoil_mode(void)
{
    screen.told_mode = *screen.mode;
    screen.told_info = *screen.mode->Info;
    screen.told_mode.Info = &screen.told_info;
    spoil_info(screen.mode->Mode, &screen.told_info);
    if (screen.far)
        screen.told_mode.FrameBufferBase = FAR_SCREEN;
    if (!screen.is_started) {
        screen.told_mode.Info = NULL;
        screen.told_mode.FrameBufferBase = 0;
    }
}

static EFI_STATUS EFIAPI odd_query(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, UINT32 number, UINTN *bytes,
                                   EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **info)
{
    (void)gop;
    if (!screen.is_started)
        return EFI_NOT_STARTED;
    EFI_STATUS status = screen.query_mode(screen.gop, number, bytes, info);
    if (status == EFI_SUCCESS)
        spoil_info(number, *info);
    return status;
}

static EFI_STATUS EFIAPI odd_set(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, UINT32 number)
{
    screen.gop->Mode = screen.mode;
    EFI_STATUS status = screen.set_mode(screen.gop, number);
    gop->Mode = &screen.told_mode;

    screen.is_started = true;
    spoil_mode();
    return status;
}

static EFI_STATUS EFIAPI plain_query(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, UINT32 number, UINTN *bytes,
                                     EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **info)
{
    (void)gop;
    return screen.query_mode(screen.gop, number, bytes, info);
}

static EFI_STATUS EFIAPI plain_set(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, UINT32 number)
{
    (void)gop;
    return screen.set_mode(screen.gop, number);
}

/* Not the console's, which has no place on any bus. */
static bool find_screen(void)
{
    EFI_GUID graphics = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID, path = EFI_DEVICE_PATH_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count = 0;
    void *device;

    services->LocateHandleBuffer(ByProtocol, &graphics, NULL, &count, &handles);
    for (UINTN i = 0; i < count; i++) {
        if (EFI_ERROR(services->HandleProtocol(handles[i], &path, &device)))
            continue;
        screen.handle = handles[i];
        services->HandleProtocol(handles[i], &graphics, (void **)&screen.gop);
        return true;
    }
    return false;
}

/* A second screen with what OVMF has, on the same place on the bus. */
static void add_screen(void)
{
    static EFI_GRAPHICS_OUTPUT_PROTOCOL second;
    EFI_GUID graphics = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID, path = EFI_DEVICE_PATH_PROTOCOL_GUID;
    EFI_HANDLE handle = NULL;
    void *device;

    second = *screen.gop;
    second.QueryMode = plain_query;
    second.SetMode = plain_set;
    services->HandleProtocol(screen.handle, &path, &device);
    services->InstallProtocolInterface(&handle, &graphics, EFI_NATIVE_INTERFACE, &second);
    services->InstallProtocolInterface(&handle, &path, EFI_NATIVE_INTERFACE, device);
}

static void add_edid(void)
{
    static uint8_t bytes[256];
    static EFI_EDID_ACTIVE_PROTOCOL edid = {sizeof(bytes), bytes};
    EFI_GUID guid = EFI_EDID_ACTIVE_PROTOCOL_GUID;

    for (UINTN i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    services->InstallProtocolInterface(&screen.handle, &guid, EFI_NATIVE_INTERFACE, &edid);
}

static void spoil_screen(const EFI_LOADED_IMAGE *loaded)
{
    EFI_PHYSICAL_ADDRESS far_screen = FAR_SCREEN;

    if (!find_screen())
        return;
    if (asks_for(loaded, "edid"))
        add_edid();
    screen.mode = screen.gop->Mode;
    screen.first_mode = screen.mode->Mode;
    screen.query_mode = screen.gop->QueryMode;
    screen.set_mode = screen.gop->SetMode;
    if (asks_for(loaded, "several"))
        add_screen();
    screen.blt_all = asks_for(loaded, "blt-all") || asks_for(loaded, "several");
    screen.blt_current = asks_for(loaded, "blt-current");
    screen.masks = asks_for(loaded, "masks");
    screen.is_started = !asks_for(loaded, "not-started");
    screen.far = asks_for(loaded, "far") &&
                 !EFI_ERROR(services->AllocatePages(AllocateAddress, EfiReservedMemoryType,
                                                    FAR_SCREEN_PAGES, &far_screen));
    if (!screen.blt_all && !screen.blt_current && !screen.masks && !screen.far && screen.is_started)
        return;
    screen.gop->Mode = &screen.told_mode;
    screen.gop->QueryMode = odd_query;
    screen.gop->SetMode = odd_set;
    spoil_mode();
}

/* From the first file system that has it: QEMU has one of its own for what it hands over. */
static bool load(EFI_HANDLE image, EFI_HANDLE *started)
{
    EFI_GUID file_system = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count = 0;

    services->LocateHandleBuffer(ByProtocol, &file_system, NULL, &count, &handles);
    for (UINTN i = 0; i < count; i++) {
        if (!EFI_ERROR(services->LoadImage(FALSE, image, file_path(handles[i]), NULL, 0, started)))
            return true;
    }
    return false;
}

EFI_STATUS EFIAPI shim_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
    EFI_GUID loaded_image = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_LOADED_IMAGE *loaded, *loader;
    EFI_HANDLE started;

    services = system->BootServices;
    get_memory_map = services->GetMemoryMap;
    exit_boot_services = services->ExitBootServices;
    services->HandleProtocol(image, &loaded_image, (void **)&loaded);
    connect_all();
    if (!load(image, &started))
        return EFI_NOT_FOUND;
    services->HandleProtocol(started, &loaded_image, (void **)&loader);
    refusals = asks_for(loaded, "exit-never") ? -1 : asks_for(loaded, "exit-late") ? LATE_TIMES : 0;
    services->ExitBootServices = refuse_exit;
    set_watchdog_timer = services->SetWatchdogTimer;
    services->SetWatchdogTimer = watch_watchdog;
    spoil_screen(loaded);
    if (asks_for(loaded, "no-execute")) {
        enable_no_execute();
        allocate_pages = services->AllocatePages;
        services->AllocatePages = allocate_data;
    }
    if (asks_for(loaded, "map"))
        services->GetMemoryMap = odd_map;
    most_read_bytes = asks_for(loaded, "read-128") ? 128 * 512
                      : asks_for(loaded, "read-1") ? 512
                                                   : UINT64_MAX;
    limit_reads(asks_for(loaded, "align"));
    if (asks_for(loaded, "high"))
        return move_up(loader)(started, system);
    return services->StartImage(started, NULL, NULL);
}
