/*
 * Finds OVMF: by the descriptors that distributions install for QEMU [QEMU docs/interop
 * "firmware.json"], then where it has been seen to lie. The runner copies the variables and starts
 * QEMU.
 */
#include "ovmf.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A machine as descriptors name it, by patterns such as pc-q35-*. */
#define MACHINE "pc-q35-1.0"
#define ARCHITECTURE "x86_64"

static const struct {
    const char *code, *variables;
} usual_places[] = {
    {"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
    {"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {"/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},
    {"/usr/share/edk2/x64/OVMF_CODE.fd", "/usr/share/edk2/x64/OVMF_VARS.fd"},
    {"/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"},
    {"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},
    {"/usr/share/qemu/edk2-x86_64-code.fd", "/usr/share/qemu/edk2-i386-vars.fd"},
    {"/opt/homebrew/share/qemu/edk2-x86_64-code.fd", "/opt/homebrew/share/qemu/edk2-i386-vars.fd"},
    {"/usr/local/share/qemu/edk2-x86_64-code.fd", "/usr/local/share/qemu/edk2-i386-vars.fd"},
};

/* The descriptors' files, by name: one in a folder that comes first hides those of its name. */
struct descriptors {
    char **paths;
    size_t count;
};

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(name_of(*(char *const *)left), name_of(*(char *const *)right));
}

static bool has_name(const struct descriptors *descriptors, const char *name)
{
    for (size_t i = 0; i < descriptors->count; i++) {
        if (strcmp(name_of(descriptors->paths[i]), name) == 0)
            return true;
    }
    return false;
}

static char *join(const char *folder, const char *name)
{
    size_t bytes = strlen(folder) + strlen(name) + 2;
    char *path = malloc(bytes);

    if (path)
        snprintf(path, bytes, "%s/%s", folder, name);
    return path;
}

static bool add(struct descriptors *descriptors, char *path)
{
    char **paths = realloc(descriptors->paths, (descriptors->count + 1) * sizeof(*paths));

    if (!path || !paths) {
        free(path);
        descriptors->paths = paths ? paths : descriptors->paths;
        return false;
    }
    descriptors->paths = paths;
    paths[descriptors->count++] = path;
    return true;
}

/* False without memory. */
static bool add_folder(struct descriptors *descriptors, const char *folder)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    bool done = true;

    while (directory && done && (entry = readdir(directory))) {
        if (fnmatch("*.json", entry->d_name, 0) == 0 && !has_name(descriptors, entry->d_name))
            done = add(descriptors, join(folder, entry->d_name));
    }
    if (directory)
        closedir(directory);
    return done;
}

static bool list_descriptors(struct descriptors *descriptors)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    bool has_config = config && *config;
    char *own = has_config ? join(config, "qemu/firmware")
                           : join(home ? home : "", ".config/qemu/firmware");
    bool done = own && add_folder(descriptors, own) &&
                add_folder(descriptors, "/etc/qemu/firmware") &&
                add_folder(descriptors, "/usr/share/qemu/firmware");

    free(own);
    if (done && descriptors->count > 0)
        qsort(descriptors->paths, descriptors->count, sizeof(*descriptors->paths), compare_names);
    return done;
}

static void free_descriptors(struct descriptors *descriptors)
{
    for (size_t i = 0; i < descriptors->count; i++)
        free(descriptors->paths[i]);
    free(descriptors->paths);
}

/* Is it among the strings of an array, or does one of them, as a pattern, match it? */
static bool lists(const json_t *array, const char *word)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *pattern = json_string_value(json_array_get(array, i));

        if (pattern && fnmatch(pattern, word, 0) == 0)
            return true;
    }
    return false;
}

static bool fits(const json_t *descriptor)
{
    const json_t *targets = json_object_get(descriptor, "targets");
    const json_t *features = json_object_get(descriptor, "features");
    bool is_target = false;

    for (size_t i = 0; i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);
        const char *name = json_string_value(json_object_get(target, "architecture"));

        is_target |= name && strcmp(name, ARCHITECTURE) == 0 &&
                     lists(json_object_get(target, "machines"), MACHINE);
    }
    return is_target && lists(json_object_get(descriptor, "interface-types"), "uefi") &&
           !lists(features, "requires-smm") && !lists(features, "enrolled-keys");
}

static char *readable(const char *path)
{
    return path && access(path, R_OK) == 0 ? strdup(path) : NULL;
}

/* The raw file that one part of the mapping names. */
static char *file_of(const json_t *mapping, const char *part)
{
    const json_t *file = json_object_get(mapping, part);
    const char *format = json_string_value(json_object_get(file, "format"));

    if (!format || strcmp(format, "raw") != 0)
        return NULL;
    return readable(json_string_value(json_object_get(file, "filename")));
}

/* What is no descriptor, or names no file that is there, is passed over, as QEMU's users do. */
static bool take_descriptor(struct ovmf *ovmf, const char *path)
{
    json_t *descriptor = json_load_file(path, 0, NULL);
    const json_t *mapping = json_object_get(descriptor, "mapping");
    const char *device = json_string_value(json_object_get(mapping, "device"));

    if (device && strcmp(device, "flash") == 0 && fits(descriptor)) {
        ovmf->code = file_of(mapping, "executable");
        ovmf->variables = file_of(mapping, "nvram-template");
    }
    json_decref(descriptor);
    if (ovmf->code && ovmf->variables)
        return true;
    ovmf_free(ovmf);
    return false;
}

static bool take_usual_place(struct ovmf *ovmf)
{
    for (size_t i = 0; i < sizeof(usual_places) / sizeof(usual_places[0]); i++) {
        ovmf->code = readable(usual_places[i].code);
        ovmf->variables = readable(usual_places[i].variables);
        if (ovmf->code && ovmf->variables)
            return true;
        ovmf_free(ovmf);
    }
    return false;
}

/* A file of its own name, but for CODE, holds the variables; a file without that word holds both.
 */
static bool take_file(struct ovmf *ovmf, const char *file, struct error *error)
{
    const char *name = name_of(file);
    const char *word = strstr(name, "CODE") ? strstr(name, "CODE") : strstr(name, "code");

    ovmf->code = readable(file);
    if (!ovmf->code)
        return error_set(error, "%s: cannot read: %s; name OVMF's code by --ovmf [ovmf-file]", file,
                         strerror(errno));
    if (!word)
        return true;
    char *variables = strdup(file);
    if (!variables)
        return error_out_of_memory(error);
    memcpy(variables + (word - file), *word == 'C' ? "VARS" : "vars", 4);
    if (access(variables, R_OK) == 0) {
        ovmf->variables = variables;
        return true;
    }
    error_set(error,
              "%s: cannot read: %s; it is to hold the variables of %s: put them there, or name "
              "another file by --ovmf [ovmf-variables]",
              variables, strerror(errno), file);
    free(variables);
    return false;
}

bool ovmf_find(struct ovmf *ovmf, const char *file, struct error *error)
{
    struct descriptors descriptors = {0};
    bool found = false;

    *ovmf = (struct ovmf){0};
    if (file)
        return take_file(ovmf, file, error);
    bool done = list_descriptors(&descriptors);
    for (size_t i = 0; done && !found && i < descriptors.count; i++)
        found = take_descriptor(ovmf, descriptors.paths[i]);
    free_descriptors(&descriptors);
    if (!done)
        return error_out_of_memory(error);
    return found || take_usual_place(ovmf) ||
           error_set(error, "OVMF, QEMU's UEFI firmware, was not found; install it (Debian: ovmf), "
                            "or name its code by --ovmf [ovmf-missing]");
}

void ovmf_free(struct ovmf *ovmf)
{
    free(ovmf->code);
    free(ovmf->variables);
    *ovmf = (struct ovmf){0};
}
