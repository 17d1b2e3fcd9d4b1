/*
 * kernel/serial.c on a port that sends as slowly as the test wants, as QEMU's does while nobody
 * reads what it writes: what was printed before the machine ends has to be out.
 */
#include "serial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COM1 0x3F8
#define DATA COM1
#define LINE_CONTROL (COM1 + 3)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS (COM1 + 5)
#define DIVISOR_ACCESS 0x80
#define MODEM_LOOPBACK 0x10

#define RECEIVED 0x01
#define CAN_SEND 0x20
#define ALL_SENT 0x40

/* The port: a byte is on its way until the status was read `reads_left` times. */
static uint8_t registers[8];
static unsigned int sent_count;
static unsigned int reads_per_byte;
static unsigned int reads_left;

void outb(uint16_t port, uint8_t value)
{
    assert_in_range(port, COM1, COM1 + 7);
    registers[port - COM1] = value;
    if (port == DATA && !(registers[LINE_CONTROL - COM1] & DIVISOR_ACCESS) &&
        !(registers[MODEM_CONTROL - COM1] & MODEM_LOOPBACK)) {
        sent_count++;
        reads_left = reads_per_byte;
    }
}

uint8_t inb(uint16_t port)
{
    assert_in_range(port, COM1, COM1 + 7);
    if (port != LINE_STATUS)
        return registers[port - COM1];
    if (reads_left == 0)
        return RECEIVED | CAN_SEND | ALL_SENT;
    reads_left--;
    return RECEIVED | CAN_SEND;
}

static void test_nothing_to_flush_before_the_first_byte(void **state)
{
    (void)state;
    reads_left = 7;
    serial_flush();
    assert_int_equal(reads_left, 7);
    reads_left = 0;
}

static void test_flush_waits_for_the_last_byte(void **state)
{
    (void)state;
    reads_per_byte = 500;
    serial_put('a');
    assert_int_equal(sent_count, 1);
    assert_int_not_equal(reads_left, 0);
    serial_flush();
    assert_int_equal(reads_left, 0);
}

static void test_flush_ends_on_a_port_that_is_stuck(void **state)
{
    (void)state;
    reads_per_byte = 100000000;
    serial_put('b');
    serial_flush();
    assert_int_equal(sent_count, 2);
    assert_in_range(reads_left, 1, reads_per_byte - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_flush_before_the_first_byte),
        cmocka_unit_test(test_flush_waits_for_the_last_byte),
        cmocka_unit_test(test_flush_ends_on_a_port_that_is_stuck),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
