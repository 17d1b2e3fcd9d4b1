/*
 * One QEMU that runs: started, talked to over QMP, looked into, and gone in the end, whatever
 * happens.
 */
#ifndef BOOTIMAGE_RUN_MACHINE_H
#define BOOTIMAGE_RUN_MACHINE_H

#include "error.h"
#include "run/qemu.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MACHINE_PAGE_BYTES 4096
#define MACHINE_CACHED_PAGES 16
/* The exit status of a QEMU that could not be run at all. */
#define MACHINE_NOT_FOUND 127

/* What comes out of the machine. */
enum machine_output {
    MACHINE_SERIAL,
    MACHINE_DEBUGCON,
    MACHINE_LOG,      /* QEMU's log of exceptions */
    MACHINE_MESSAGES, /* what QEMU says on its standard error */
    MACHINE_OUTPUTS,
};

typedef void machine_taker(void *context, enum machine_output output, const char *bytes,
                           size_t count);

/* A page of the guest's memory, as a CPU sees it. */
struct machine_page {
    bool is_valid;
    unsigned int cpu;
    uint64_t vaddr;
    uint8_t bytes[MACHINE_PAGE_BYTES];
};

struct machine {
    pid_t pid;                    /* 0: none, or it has ended */
    int status;                   /* of waitpid(), once it has */
    int qmp;                      /* our end of the socket; -1: closed */
    int outputs[MACHINE_OUTPUTS]; /* the pipes' ends; -1: closed */
    int memory;                   /* the file that QEMU writes memory and pictures to */
    int ram;                      /* the file that is the guest's memory; -1: none */
    bool is_q35;
    machine_taker *take;
    void *context;
    char *received; /* of the socket, not yet a line */
    size_t received_bytes;
    json_t *reply;    /* to the last command; NULL: none yet */
    json_t *events;   /* array, oldest first; who has seen one removes it */
    bool is_ready;    /* QEMU takes commands */
    bool is_silent;   /* it was ended as it gave no answer */
    int signal;       /* that came and shall end us; 0: none */
    bool has_started; /* the guest has been let go */
    struct machine_page pages[MACHINE_CACHED_PAGES];
};

/* How a machine is started, beside its setup. */
struct machine_start {
    const char *image; /* a path; NULL: it has none, take image_fd */
    int image_fd;
    bool keeps_memory; /* it can be read when QEMU is gone */
    bool on_terminal;  /* standard input and output are those of the serial port */
    bool has_terminal; /* QEMU has them, perhaps for its display */
    machine_taker *take;
    void *context;
};

/* Starts QEMU and waits until it listens; the guest does not run yet. On failure, too, give back
   with machine_close(). */
bool machine_open(struct machine *machine, const struct qemu_setup *setup,
                  const struct machine_start *start, struct error *error);

/* Waits until something has come (an event, output, the end, a signal) or the time has passed. What
   comes out is given to `take` meanwhile, as in all functions here that wait. */
void machine_wait(struct machine *machine, int milliseconds);

/* Waits until a write of up to PIPE_BUF bytes will not wait for its reader. False: a signal came,
   which shall end us whether there is a reader or not. */
bool machine_wait_to_write(struct machine *machine, int fd);

/* Runs a QMP command; takes arguments, NULL for none. The value that it returns is a new reference;
   NULL: QEMU refused, or is gone. */
json_t *machine_command(struct machine *machine, const char *name, json_t *arguments);

/* The guest goes on, or begins. */
bool machine_continue(struct machine *machine);
bool machine_stop(struct machine *machine);

/* What QEMU's monitor answers; the caller frees it. NULL as above. */
char *machine_monitor(struct machine *machine, const char *command);

/* Memory as a CPU sees it, and physical. False where there is none. */
bool machine_read(struct machine *machine, unsigned int cpu, uint64_t vaddr, void *bytes,
                  size_t count);
bool machine_read_physical(struct machine *machine, uint64_t paddr, void *bytes, size_t count);

/* What the screen shows, as a file of this format: "png" or "ppm". The caller frees it; NULL as
   above. */
uint8_t *machine_screenshot(struct machine *machine, const char *format, size_t *bytes);

/* Whether QEMU is there no more. */
bool machine_has_ended(const struct machine *machine);

/* Asks QEMU to end and waits for it; then machine->status says how. */
void machine_quit(struct machine *machine);

/* Whatever state it is in, no process is left. */
void machine_close(struct machine *machine);

#endif
