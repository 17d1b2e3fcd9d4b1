// A no_std kernel in Rust: the host's own `core`, no crates, no linker script, SSE in use.
//
// Assumes what the System V ABI promises a function. It reports as report.h says.
#![no_std]
#![no_main]

use core::arch::asm;
use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU64, Ordering};

struct DebugConsole;

impl Write for DebugConsole {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            unsafe { asm!("out 0xe9, al", in("al") byte, options(nomem, nostack)) };
        }
        Ok(())
    }
}

fn stop() -> ! {
    loop {
        unsafe { asm!("cli", "hlt") };
    }
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let _ = writeln!(DebugConsole, "not ok - {}", info);
    stop()
}

// The host's `core` was compiled to unwind and names this function; nothing ever calls it.
#[no_mangle]
extern "C" fn rust_eh_personality() {}

static TABLE: [u32; 4] = [2, 3, 5, 7];
static ONE: f64 = 1.0;
static ZEROES: [AtomicU64; 4096] = [ZERO; 4096];
#[allow(clippy::declare_interior_mutable_const)]
const ZERO: AtomicU64 = AtomicU64::new(0);

fn check(number: u32, holds: bool, what: &str) {
    let verdict = if holds { "ok" } else { "not ok" };
    let _ = writeln!(DebugConsole, "{} {} - {}", verdict, number, what);
}

// core::fmt calls through tables of function pointers, so it also shows that .data is right.
#[no_mangle]
pub extern "C" fn _start() -> ! {
    let _ = writeln!(DebugConsole, "entered");
    check(1, TABLE.iter().sum::<u32>() == 17, "iterators and rodata work");
    let zero = |quad: &AtomicU64| quad.fetch_add(1, Ordering::Relaxed) == 0;
    check(2, ZEROES.iter().all(zero), "bss is zero");
    let third = unsafe { core::ptr::addr_of!(ONE).read_volatile() } / 3.0;
    check(3, third > 0.333 && third < 0.334, "floating point works");
    let screen = 0xb8000 as *mut u16;
    for (column, byte) in b"rust kernel".iter().enumerate() {
        unsafe { screen.add(24 * 80 + column).write_volatile(0x0a00 | *byte as u16) };
    }
    let _ = writeln!(DebugConsole, "1..3\ndone");
    stop()
}
