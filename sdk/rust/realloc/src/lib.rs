//! `cabi_realloc`, by which a host passes strings and lists to a guest.
//!
//! It is a crate of its own because a guest has one, and Rust has no weak symbols: the linker takes a file out
//! of a library only for what nothing else has defined. So this one is used where a program has no bindings of
//! its own beside those of a library, and left out where they define it.

#![no_std]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
#[unsafe(export_name = "cabi_realloc")]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    use alloc::alloc::{alloc, handle_alloc_error, realloc};
    use core::alloc::Layout;

    if size == 0 {
        return align as *mut u8;
    }
    // SAFETY: the canonical ABI passes a power of two as the alignment, and what an earlier call has returned.
    unsafe {
        let layout = Layout::from_size_align_unchecked(size, align);
        let new = if old_size == 0 {
            alloc(layout)
        } else {
            realloc(old, Layout::from_size_align_unchecked(old_size, align), size)
        };
        if new.is_null() {
            handle_alloc_error(layout);
        }
        new
    }
}
