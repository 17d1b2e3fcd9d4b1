// A kernel with names of Rust, for test_debuginfo.c.
#![no_std]
#![no_main]

mod paging;

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[no_mangle]
pub extern "C" fn _start() -> ! {
    let mut space = paging::Space::new(0x1000);

    space.map(3);
    loop {}
}
