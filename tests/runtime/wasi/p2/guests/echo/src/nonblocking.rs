//! What tokio needs of `fcntl`, for the C library of Rust up to 1.95 at least, whose own knows no sockets.
//!
//! tokio makes accepted sockets non-blocking with it; this does the same through `ioctl`, which knows them.

use std::ffi::c_int;

const F_SETFL: c_int = 4;
const O_NONBLOCK: c_int = 4;
const FIONBIO: c_int = 2;
const EINVAL: c_int = 28;

extern "C" {
    fn ioctl(descriptor: c_int, request: c_int, ...) -> c_int;
    fn __errno_location() -> *mut c_int;
}

/// C's `fcntl(descriptor, command, ...)`: the arguments that vary lie in memory.
#[no_mangle]
pub extern "C" fn fcntl(descriptor: c_int, command: c_int, arguments: *const c_int) -> c_int {
    if command != F_SETFL {
        unsafe { *__errno_location() = EINVAL };
        return -1;
    }
    let mut on = c_int::from(unsafe { *arguments } & O_NONBLOCK != 0);
    unsafe { ioctl(descriptor, FIONBIO, &mut on) }
}
