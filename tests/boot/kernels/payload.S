/*
 * The payload's bytes (payload.h). PAYLOAD_FILE is what pattern.py made, PAYLOAD_SECTION where to
 * put it, such as .data.
 */
    .section PAYLOAD_SECTION
    .balign 8
    .globl payload_start, payload_end
payload_start:
    .incbin PAYLOAD_FILE
payload_end:

    .section .note.GNU-stack, "", @progbits
