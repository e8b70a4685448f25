//! Attributes that are kept by the host's.

#![no_std]
extern crate alloc;

mod allocator;
mod world;

use alloc::string::String;
use world::exports::test::accessors::t::{Guest, GuestR};
use world::test::accessors::t as host;

struct Component;
struct Wrapped(host::R);

impl GuestR for Wrapped {
    fn new(foo: u32) -> Self {
        Self(host::R::new(foo))
    }

    fn foo(&self) -> u32 {
        self.0.foo() + 1
    }

    fn set_foo(&self, v: u32) {
        self.0.set_foo(v + 1)
    }

    fn bar() -> String {
        host::R::bar()
    }
}

impl Guest for Component {
    type R = Wrapped;

    fn size() -> u64 {
        host::size() + 1
    }

    fn set_size(v: u64) {
        host::set_size(v + 1)
    }
}

impl world::Guest for Component {
    fn live_blocks() -> u32 {
        allocator::live_blocks()
    }
}

world::export!(Component);
