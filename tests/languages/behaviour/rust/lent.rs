//! Uses things of the host's, lent and given.

#![no_std]
extern crate alloc;

mod allocator;

/// The bindings are not at the top of the crate.
mod generated {
    pub mod world;
}

use alloc::vec::Vec;
use generated::world::exports::test::things::user;
use generated::world::test::things::things;

struct Component;

impl user::Guest for Component {
    fn use_imported(
        it: user::ItemBorrow<'_>,
        all: Vec<user::ItemBorrow<'_>>,
        keep: user::Item,
    ) -> user::Pair {
        it.rename("used");
        keep.rename(&all.iter().map(|item| item.name()).collect::<Vec<_>>().join("+"));
        let right = (things::total(&all) > 1).then(|| things::Thing::new(&it.name()));
        user::Pair { left: keep, right }
    }
}

impl generated::world::Guest for Component {
    fn live_blocks() -> u32 {
        allocator::live_blocks()
    }
}

generated::world::export!(Component, in crate::generated::world);
