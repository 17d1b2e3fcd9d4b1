// The module in which the Rust kernel goes wrong.

pub struct Space {
    start: u64,
}

impl Space {
    pub fn new(start: u64) -> Space {
        Space { start }
    }

    #[inline(never)]
    pub fn map(&mut self, pages: u64) {
        for page in 0..pages {
            map_page(self.start + page * 4096);
        }
    }
}

#[inline(never)]
fn map_page(vaddr: u64) {
    unsafe { (vaddr as *mut u64).write_volatile(1) }; // CRASH: rust
}
