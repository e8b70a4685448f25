//! Things that are made of the host's things.

#![no_std]
extern crate alloc;

mod allocator;
mod world;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use world::exports::test::things::things::*;
use world::test::things::things as host;

struct Component;
struct Wrapped(host::Thing);
struct Steps(Cell<u32>);

fn wrap(thing: host::Thing) -> Thing {
    Thing::new(Wrapped(thing))
}

fn unwrap(thing: Thing) -> host::Thing {
    thing.into_inner::<Wrapped>().0
}

fn wrap_pair(pair: host::Pair) -> Pair {
    Pair { left: wrap(pair.left), right: pair.right.map(wrap) }
}

impl GuestThing for Wrapped {
    fn new(name: String) -> Self {
        Self(host::Thing::new(&name))
    }

    fn name(&self) -> String {
        format!("<{}>", self.0.name())
    }

    fn rename(&self, name: String) {
        self.0.rename(&name)
    }

    fn like(&self, other: ThingBorrow<'_>) -> bool {
        self.0.like(&other.get::<Wrapped>().0)
    }

    fn merge(a: Thing, b: ThingBorrow<'_>) -> Thing {
        wrap(host::Thing::merge(unwrap(a), &b.get::<Wrapped>().0))
    }

    fn checked(name: String) -> Result<Thing, String> {
        host::Thing::checked(&name).map(wrap)
    }
}

impl GuestCounter for Steps {
    fn new(start: u32) -> Result<Self, String> {
        let inner = host::Counter::new(start)?;
        Ok(Self(Cell::new(inner.next())))
    }

    fn next(&self) -> u32 {
        self.0.replace(self.0.get() + 1)
    }
}

impl Guest for Component {
    type Thing = Wrapped;
    type Counter = Steps;

    fn make(names: Vec<String>) -> Vec<Thing> {
        host::make(&names).into_iter().map(wrap).collect()
    }

    fn total(things: Vec<ThingBorrow<'_>>) -> u32 {
        let lent: Vec<_> = things.iter().map(|thing| (&thing.get::<Wrapped>().0).into()).collect();
        host::total(&lent)
    }

    fn swap(p: Pair) -> Pair {
        wrap_pair(host::swap(host::Pair { left: unwrap(p.left), right: p.right.map(unwrap) }))
    }

    fn look(all: Vec<Seen<'_>>) -> Vec<String> {
        let seen: Vec<_> = all
            .iter()
            .map(|seen| host::Seen { it: (&seen.it.get::<Wrapped>().0).into(), times: seen.times })
            .collect();
        host::look(&seen)
    }

    fn look_at(it: Seen<'_>, other: Option<ThingBorrow<'_>>, last: Lent<'_>) -> String {
        let it = host::Seen { it: (&it.it.get::<Wrapped>().0).into(), times: it.times };
        let other = other.as_ref().map(|thing| &thing.get::<Wrapped>().0);
        host::look_at(&it, other, &last.get::<Wrapped>().0)
    }

    fn consume(x: Thing) -> String {
        host::consume(unwrap(x))
    }

    fn hold(x: Held) -> Held {
        let held = match x {
            Held::Nothing => host::Held::Nothing,
            Held::One(thing) => host::Held::One(unwrap(thing)),
            Held::Many(things) => host::Held::Many(things.into_iter().map(unwrap).collect()),
        };
        match host::hold(held) {
            host::Held::Nothing => Held::Nothing,
            host::Held::One(thing) => Held::One(wrap(thing)),
            host::Held::Many(things) => Held::Many(things.into_iter().map(wrap).collect()),
        }
    }

    fn spilled(
        a: (u64, u64, u64, u64, u64, u64, u64, u64),
        b: (u64, u64, u64, u64, u64, u64),
        c: Thing,
        d: ThingBorrow<'_>,
        e: Vec<Thing>,
    ) -> (Thing, u64, u32) {
        let e = e.into_iter().map(unwrap).collect();
        let (thing, sum, count) = host::spilled(a, b, unwrap(c), &d.get::<Wrapped>().0, e);
        (wrap(thing), sum, count)
    }
}

impl world::Guest for Component {
    fn live_blocks() -> u32 {
        allocator::live_blocks()
    }
}

world::export!(Component);
