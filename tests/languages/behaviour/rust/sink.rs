//! Makes something else of everything that it gets.

#![no_std]
extern crate alloc;

mod allocator;
mod world;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use world::exports::in_place::{self, GuestWords, WordsBorrow};
use world::exports::test::sink::{shared as exported, transforms};
use world::test::sink::shared::{shift, Level, Point, Rights, Shape};
use world::Counter;

struct Component;
struct Words(RefCell<Vec<String>>);

impl exported::Guest for Component {
    fn shift(x: Point) -> Point {
        shift(Point { x: x.y, y: x.x })
    }
}

impl transforms::Guest for Component {
    fn reverse(x: Vec<String>) -> Vec<String> {
        x.iter().rev().map(|word| word.repeat(2)).collect()
    }

    fn move_all(x: Shape) -> Shape {
        match x {
            Shape::Dot(at) => Shape::Dot(shift(at)),
            Shape::Line((from, to)) => Shape::Line((shift(from), shift(to))),
            Shape::Path(points) => Shape::Path(points.into_iter().map(shift).collect()),
            other => other,
        }
    }

    fn invert(x: Rights) -> Rights {
        !x
    }

    fn next(x: Level) -> Level {
        match x {
            Level::Low => Level::Middle,
            Level::Middle => Level::High,
            Level::High => Level::Low,
        }
    }

    fn total(orders: Vec<transforms::Order>) -> Result<transforms::Totals, Vec<String>> {
        let mut reasons = Vec::new();
        let (mut count, mut sum) = (0, 0.0);
        for order in orders {
            match order.paid {
                Ok(paid) => {
                    count += 1;
                    sum += paid;
                }
                Err(reason) => reasons.push(reason),
            }
        }
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let most = match count {
            0 => Level::Low,
            1 | 2 => Level::Middle,
            _ => Level::High,
        };
        Ok(transforms::Totals { count, sum, most })
    }

    fn rework(x: transforms::Order) -> transforms::Order {
        let mut tags = x.tags;
        tags.push(x.name.clone());
        transforms::Order {
            id: !x.id,
            name: x.name,
            tags,
            place: x.place.map(shift),
            paid: match x.paid {
                Ok(paid) => Err((if paid < 0.0 { "less" } else { "more" }).to_string()),
                Err(reason) => Ok(reason.len() as f64),
            },
        }
    }

    fn widen(
        a: u8,
        b: i8,
        c: u16,
        d: i16,
        e: u32,
        f: i32,
        g: u64,
        h: i64,
        i: f32,
        j: bool,
        k: char,
        l: String,
    ) -> (i64, u64, f64, String) {
        (
            h.wrapping_add(i64::from(b) + i64::from(d) + i64::from(f)),
            g.wrapping_add(u64::from(a) + u64::from(c) + u64::from(e)),
            if j { f64::from(i) } else { -f64::from(i) },
            k.to_string() + &l,
        )
    }

    fn split(bytes: Vec<u8>, at: u8) -> Vec<Vec<u8>> {
        bytes.split(|byte| *byte == at).map(<[u8]>::to_vec).collect()
    }
}

impl GuestWords for Words {
    fn new(first: Vec<String>) -> Self {
        Self(RefCell::new(first))
    }

    fn add(&self, word: String) -> u32 {
        let mut words = self.0.borrow_mut();
        words.push(word);
        words.len() as u32
    }

    fn joined(&self, between: String) -> String {
        self.0.borrow().join(&between)
    }

    fn longest(all: Vec<WordsBorrow<'_>>) -> Option<String> {
        let mut longest: Option<String> = None;
        for words in &all {
            for word in words.get::<Words>().0.borrow().iter() {
                if longest.as_ref().map_or(true, |known| word.len() > known.len()) {
                    longest = Some(word.clone());
                }
            }
        }
        longest
    }
}

impl in_place::Guest for Component {
    type Words = Words;

    fn merge(all: Vec<in_place::Words>) -> Option<in_place::Words> {
        let mut rest = all.into_iter();
        let first = rest.next()?;
        for words in rest {
            let Words(more) = words.into_inner();
            first.get::<Words>().0.borrow_mut().extend(more.into_inner());
        }
        Some(first)
    }
}

impl world::Guest for Component {
    fn run(at: Point, count: Counter, times: u32) -> Result<(Point, Counter), Level> {
        for _ in 0..times {
            let level = match count.next() % 3 {
                0 => Level::Low,
                1 => Level::Middle,
                _ => Level::High,
            };
            world::log(level, "counted")?;
        }
        let other = Counter::new(times);
        let sum = Counter::sum(&[(&count).into()], other.next());
        Ok((shift(Point { x: at.x.wrapping_add(sum as i32), y: at.y }), count))
    }

    fn live_blocks() -> u32 {
        allocator::live_blocks()
    }
}

world::export!(Component);
