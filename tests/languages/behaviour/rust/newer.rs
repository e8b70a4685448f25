//! Passes lists of a fixed length and maps on to the import of the same name, and back.

#![no_std]
extern crate alloc;

mod allocator;
mod world;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use world::exports::test::values::newer::Guest;
use world::test::values::newer;

struct Component;

impl Guest for Component {
    fn fixed(x: [u16; 4]) -> [u16; 4] {
        newer::fixed(&x)
    }

    fn fixed_strings(x: [String; 3]) -> [String; 3] {
        newer::fixed_strings(&x)
    }

    fn map_of(x: BTreeMap<String, u32>) -> BTreeMap<String, u32> {
        newer::map_of(&x)
    }

    fn map_lists(x: BTreeMap<u8, Vec<String>>) -> BTreeMap<u8, Vec<String>> {
        newer::map_lists(&x)
    }
}

impl world::Guest for Component {
    fn live_blocks() -> u32 {
        allocator::live_blocks()
    }
}

world::export!(Component);
