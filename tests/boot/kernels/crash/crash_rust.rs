// A kernel in Rust that goes wrong in a function of a module, paging.rs: reports must name it as
// Rust does, not as the linker sees it.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

mod paging;

#[panic_handler]
fn panic(_info: &PanicInfo) -> ! {
    loop {}
}

// The host's `core` was compiled to unwind and names this function; nothing ever calls it.
#[no_mangle]
extern "C" fn rust_eh_personality() {}

#[no_mangle]
pub extern "C" fn _start() -> ! {
    let mut space = paging::Space::new(0xffff_c900_dead_b000);
    space.map(2); // CALL: rust
    loop {}
}
