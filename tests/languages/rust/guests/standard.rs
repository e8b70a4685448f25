//! With the standard library: what a world has of its own, and an interface written in place.

mod top;

use top::exports::in_place::{self, Kept};
use top::exports::test::top::shared;
use top::{HostItem, Level, P};

struct Component;
struct Item(u32);

impl in_place::GuestKept for Item {
    fn new(number: u32) -> Self {
        Self(number)
    }

    fn r#type(&self) -> u32 {
        self.0
    }
}

impl in_place::Guest for Component {
    type Kept = Item;

    fn pass(x: Vec<Kept>) -> Vec<Kept> {
        x.into_iter().rev().collect()
    }
}

impl shared::Guest for Component {
    fn f(x: shared::P) -> shared::P {
        let P { a } = top::test::top::shared::f(x);
        shared::P { a: a + 10 }
    }
}

impl top::Guest for Component {
    fn run(x: P, r: HostItem) -> Result<(P, HostItem), Level> {
        let message = format!("{} of {:?}", r.get(), x);
        top::log(Level::Low, &message).map_err(|level| {
            eprintln!("{}", &level as &dyn std::error::Error);
            level
        })?;
        let sum = x.a + r.get();
        Ok((x, HostItem::new(sum)))
    }
}

top::export!(Component);
