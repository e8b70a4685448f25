//! What a guest without the standard library needs: an allocator, which counts, and what panics do.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;

// What compiled code calls to copy and compare memory is in the C library there.
#[cfg(target_os = "wasi")]
#[link(name = "c")]
unsafe extern "C" {}

const SIZE: usize = 8 << 20;
const HEADER: usize = 16;

#[repr(align(16))]
struct Arena(UnsafeCell<[u8; SIZE]>);
unsafe impl Sync for Arena {}

struct Counting(UnsafeCell<State>);
unsafe impl Sync for Counting {}

struct State {
    used: usize,
    live: u32,
    spare: [*mut u8; 24],
}

static ARENA: Arena = Arena(UnsafeCell::new([0; SIZE]));

#[global_allocator]
static ALLOCATOR: Counting = Counting(UnsafeCell::new(State {
    used: 0,
    live: 0,
    spare: [core::ptr::null_mut(); 24],
}));

fn class_of(size: usize) -> usize {
    size.next_power_of_two().trailing_zeros().max(4) as usize
}

// A block is preceded by its layout, which has to be the same when it is freed.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe {
            let state = &mut *self.0.get();
            let class = class_of(layout.size());
            let mut block = state.spare[class];
            if block.is_null() {
                block = ARENA.0.get().cast::<u8>().add(state.used);
                state.used += HEADER + (1 << class);
                assert!(layout.align() <= 16 && state.used <= SIZE);
            } else {
                state.spare[class] = block.cast::<*mut u8>().read();
            }
            state.live += 1;
            block.cast::<[usize; 2]>().write([layout.size(), layout.align()]);
            block.add(HEADER)
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe {
            let state = &mut *self.0.get();
            let block = at.sub(HEADER);
            assert!(block.cast::<[usize; 2]>().read() == [layout.size(), layout.align()]);
            block.cast::<[usize; 2]>().write([0, 0]);
            let class = class_of(layout.size());
            block.cast::<*mut u8>().write(state.spare[class]);
            state.spare[class] = block;
            state.live -= 1;
        }
    }
}

/// How many blocks are allocated.
pub fn live_blocks() -> u32 {
    unsafe { (*ALLOCATOR.0.get()).live }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
