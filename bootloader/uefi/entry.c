/*
 * \EFI\BOOT\BOOTX64.EFI: where UEFI firmware starts the loader, in 64-bit mode, with boot services
 * [UEFI §4.1 "UEFI Image Entry Point"]. It finds its disk and calls the core, which never comes
 * back.
 */
#include "../core/cpu.h"
#include "../core/loader.h"
#include "../core/log.h"
#include "uefi.h"

/* What Secure Boot's shim asks of a loader: a generation number to revoke it by [SBAT "SBAT.md"].
 */
extern const char uefi_sbat[] __attribute__((section(".sbat")));
const char uefi_sbat[] =
    "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
    "bootimage,1,bootimage,bootimage," BOOTIMAGE_VERSION ",-\n";

struct uefi uefi;

EFI_STATUS EFIAPI uefi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

EFI_STATUS EFIAPI uefi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
    EFI_GUID loaded_image = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    struct firmware_boot boot = {.tsc_stage1 = cpu_read_tsc()};
    EFI_BOOT_SERVICES *services = system->BootServices;

    uefi = (struct uefi){.image = image, .system = system, .services = services};
    /* Else the firmware resets the machine five minutes after the start. */
    services->SetWatchdogTimer(0, 0, 0, NULL);
    if (services->HandleProtocol(image, &loaded_image, (void **)&uefi.loaded) != EFI_SUCCESS)
        return EFI_LOAD_ERROR;
    disk_find(&boot);
    boot.tsc_stage2 = cpu_read_tsc();
    loader_main(&boot);
    firmware_stop();
}
