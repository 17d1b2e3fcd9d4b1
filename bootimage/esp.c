/*
 * Signing: the loader comes out of the volume, goes through sbsign, and back, longer than before.
 * The volume is the one that bootloader/uefi/esp.sh made: FAT12, one sector a cluster, and the
 * loader is the last file, so that all clusters behind it are free [FAT "FAT32 File System
 * Specification"].
 */
#include "esp.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SBSIGN "sbsign"
#define SECTOR_BYTES 512u
/* In the boot sector. */
#define BPB_RESERVED_SECTORS 14
#define BPB_FATS 16
#define BPB_ROOT_ENTRIES 17
#define BPB_SECTORS 19
#define BPB_FAT_SECTORS 22
/* In an entry of a folder. */
#define ENTRY_BYTES 32u
#define ENTRY_NAME_BYTES 11u
#define ENTRY_CLUSTER 26
#define ENTRY_SIZE 28
#define FIRST_CLUSTER 2u
#define END_OF_CHAIN 0xfffu

extern char **environ;

struct volume {
    uint8_t *bytes;
    uint32_t sectors;
    uint32_t fat, fats, fat_bytes; /* offset of the first, how many, of each */
    uint32_t root, root_bytes;     /* offset */
    uint32_t data;                 /* offset of the first cluster */
};

static uint32_t load16(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t load32(const uint8_t *at)
{
    return load16(at) | load16(at + 2) << 16;
}

static void store32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static struct volume open_volume(uint8_t *bytes)
{
    struct volume volume = {
        .bytes = bytes,
        .sectors = load16(bytes + BPB_SECTORS),
        .fat = load16(bytes + BPB_RESERVED_SECTORS) * SECTOR_BYTES,
        .fats = bytes[BPB_FATS],
        .fat_bytes = load16(bytes + BPB_FAT_SECTORS) * SECTOR_BYTES,
        .root_bytes = load16(bytes + BPB_ROOT_ENTRIES) * ENTRY_BYTES,
    };

    volume.root = volume.fat + volume.fats * volume.fat_bytes;
    volume.data = volume.root + volume.root_bytes;
    return volume;
}

static uint8_t *cluster_at(const struct volume *volume, uint32_t cluster)
{
    return volume->bytes + volume->data + (cluster - FIRST_CLUSTER) * SECTOR_BYTES;
}

/* In all copies of the table: 12 bits an entry. */
static void set_next(const struct volume *volume, uint32_t cluster, uint32_t next)
{
    for (uint32_t i = 0; i < volume->fats; i++) {
        uint8_t *at = volume->bytes + volume->fat + i * volume->fat_bytes + cluster + cluster / 2;

        if (cluster & 1) {
            at[0] = (uint8_t)((at[0] & 0x0f) | next << 4);
            at[1] = (uint8_t)(next >> 4);
        } else {
            at[0] = (uint8_t)next;
            at[1] = (uint8_t)((at[1] & 0xf0) | next >> 8);
        }
    }
}

static uint8_t *find_entry(uint8_t *folder, uint32_t bytes, const char *name)
{
    for (uint32_t at = 0; at < bytes; at += ENTRY_BYTES) {
        if (memcmp(folder + at, name, ENTRY_NAME_BYTES) == 0)
            return folder + at;
    }
    return NULL;
}

/* The loader's entry. */
static uint8_t *find_loader(const struct volume *volume)
{
    static const char *const folders[] = {"EFI        ", "BOOT       "};
    uint8_t *folder = volume->bytes + volume->root;
    uint32_t bytes = volume->root_bytes;

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        const uint8_t *entry = find_entry(folder, bytes, folders[i]);

        if (!entry)
            return NULL;
        folder = cluster_at(volume, load16(entry + ENTRY_CLUSTER));
        bytes = SECTOR_BYTES;
    }
    return find_entry(folder, bytes, "BOOTX64 EFI");
}

/* False: it has no room. */
static bool replace_loader(const struct volume *volume, uint8_t *entry, const uint8_t *loader,
                           size_t bytes)
{
    uint32_t cluster = load16(entry + ENTRY_CLUSTER);
    size_t room = volume->sectors * SECTOR_BYTES - volume->data -
                  (size_t)(cluster - FIRST_CLUSTER) * SECTOR_BYTES;

    if (bytes > room)
        return false;
    memcpy(cluster_at(volume, cluster), loader, bytes);
    store32(entry + ENTRY_SIZE, (uint32_t)bytes);
    for (; bytes > SECTOR_BYTES; bytes -= SECTOR_BYTES, cluster++)
        set_next(volume, cluster, cluster + 1);
    set_next(volume, cluster, END_OF_CHAIN);
    return true;
}

/* A folder of its own for what goes into sbsign and comes out of it. */
struct workshop {
    char folder[4096];
    char unsigned_path[4112];
    char signed_path[4112];
    char messages_path[4112]; /* what sbsign says, good or bad */
};

static bool open_workshop(struct workshop *workshop, const uint8_t *loader, size_t bytes,
                          struct error *error)
{
    const char *folder = getenv("TMPDIR");

    snprintf(workshop->folder, sizeof(workshop->folder), "%s/bootimage-XXXXXX",
             folder && *folder ? folder : "/tmp");
    FILE *file = NULL;
    if (mkdtemp(workshop->folder)) {
        snprintf(workshop->unsigned_path, sizeof(workshop->unsigned_path), "%s/loader",
                 workshop->folder);
        snprintf(workshop->signed_path, sizeof(workshop->signed_path), "%s/signed",
                 workshop->folder);
        snprintf(workshop->messages_path, sizeof(workshop->messages_path), "%s/messages",
                 workshop->folder);
        file = fopen(workshop->unsigned_path, "wbe");
    }
    bool done = file && fwrite(loader, 1, bytes, file) == bytes;
    if (file && fclose(file) != 0)
        done = false;
    if (!done)
        error_set(error,
                  "%s: cannot create a temporary folder with the loader: %s; name another place "
                  "with TMPDIR [temporary-file]",
                  workshop->folder, strerror(errno));
    return done;
}

static void close_workshop(const struct workshop *workshop)
{
    unlink(workshop->unsigned_path);
    unlink(workshop->signed_path);
    unlink(workshop->messages_path);
    rmdir(workshop->folder);
}

/* The first line that sbsign has said. */
static void read_message(const struct workshop *workshop, char message[256])
{
    FILE *file = fopen(workshop->messages_path, "re");

    strcpy(message, "it does not say why");
    if (file && fgets(message, 256, file))
        message[strcspn(message, "\n")] = '\0';
    if (file)
        fclose(file);
}

static bool run_sbsign(const struct workshop *workshop, const struct esp_signer *signer,
                       struct error *error)
{
    char *const arguments[] = {
        (char[]){SBSIGN},
        (char[]){"--key"},
        strdup(signer->key),
        (char[]){"--cert"},
        strdup(signer->certificate),
        (char[]){"--output"},
        strdup(workshop->signed_path),
        strdup(workshop->unsigned_path),
        NULL,
    };
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = -1;

    posix_spawn_file_actions_init(&actions);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, workshop->messages_path,
                                         O_WRONLY | O_CREAT | O_APPEND, S_IRUSR | S_IWUSR);
    int number = posix_spawnp(&child, SBSIGN, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    free(arguments[2]);
    free(arguments[4]);
    free(arguments[6]);
    free(arguments[7]);
    if (number != 0)
        return error_set(
            error, SBSIGN ": cannot run: %s; install it (Debian: sbsigntool) [sbsign-missing]",
            strerror(number));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    char message[256];
    read_message(workshop, message);
    return error_set(error,
                     SBSIGN
                     " has not signed the loader with %s and %s (%s); give a private key and "
                     "its certificate, both PEM [sbsign-failed]",
                     signer->key, signer->certificate, message);
}

static uint8_t *read_signed(const struct workshop *workshop, size_t *bytes, struct error *error)
{
    FILE *file = fopen(workshop->signed_path, "rbe");
    struct stat status;
    uint8_t *loader = NULL;

    if (file && fstat(fileno(file), &status) == 0)
        loader = malloc((size_t)status.st_size);
    if (loader && fread(loader, 1, (size_t)status.st_size, file) == (size_t)status.st_size) {
        *bytes = (size_t)status.st_size;
    } else {
        error_set(error, "%s: cannot read: %s; check the room in TMPDIR [temporary-file]",
                  workshop->signed_path, strerror(errno));
        free(loader);
        loader = NULL;
    }
    if (file)
        fclose(file);
    return loader;
}

static bool sign(const struct volume *volume, const struct esp_signer *signer, struct error *error)
{
    struct workshop workshop = {0};
    uint8_t *entry = find_loader(volume), *loader = NULL;
    size_t bytes = 0;
    bool done = false;

    if (!entry)
        return error_set(error, "the EFI system partition of this bootimage holds no loader; build "
                                "it anew [esp-damaged]");
    if (open_workshop(&workshop, cluster_at(volume, load16(entry + ENTRY_CLUSTER)),
                      load32(entry + ENTRY_SIZE), error) &&
        run_sbsign(&workshop, signer, error))
        loader = read_signed(&workshop, &bytes, error);
    if (loader)
        done = replace_loader(volume, entry, loader, bytes) ||
               error_set(error,
                         "the signed loader has %zu bytes, more than the EFI system partition has "
                         "room for; sign with a smaller certificate [esp-full]",
                         bytes);
    free(loader);
    close_workshop(&workshop);
    return done;
}

uint8_t *esp_sign(const uint8_t *volume, size_t bytes, const struct esp_signer *signer,
                  struct error *error)
{
    uint8_t *copy = malloc(bytes);

    if (!copy) {
        error_out_of_memory(error);
        return NULL;
    }
    memcpy(copy, volume, bytes);
    const struct volume opened = open_volume(copy);
    if (sign(&opened, signer, error))
        return copy;
    free(copy);
    return NULL;
}
