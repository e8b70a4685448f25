//! Passes every kind of value on to the import of the same name, and back.

#![no_std]
extern crate alloc;

mod allocator;
mod world;

use alloc::string::String;
use alloc::vec::Vec;
use world::exports::test::values;
use world::test::values::echo::{self, *};

struct Component;

impl world::Guest for Component {
    fn live_blocks() -> u32 {
        allocator::live_blocks()
    }
}

macro_rules! pass_on {
    ($($name:ident($x:ident: $type:ty) => $view:expr;)*) => {
        impl values::echo::Guest for Component {
            $(fn $name($x: $type) -> $type { echo::$name($view) })*

            fn many(
                a: u8, b: String, c: f64, d: Vec<u32>, e: Option<String>, f: Shape, g: u64, h: char, i: bool, j: Point,
            ) -> (u8, String, f64, Vec<u32>, Option<String>, Shape, u64, char, bool, Point) {
                echo::many(a, &b, c, &d, e.as_deref(), &f, g, h, i, j)
            }
        }
    };
}

pass_on! {
    r#bool(x: bool) => x;
    u8(x: u8) => x;
    s8(x: i8) => x;
    u16(x: u16) => x;
    s16(x: i16) => x;
    u32(x: u32) => x;
    s32(x: i32) => x;
    u64(x: u64) => x;
    s64(x: i64) => x;
    f32(x: f32) => x;
    f64(x: f64) => x;
    char(x: char) => x;
    string(x: String) => &x;
    bytes_of(x: Bytes) => &x;
    names_of(x: Names) => &x;
    list_u32(x: Vec<u32>) => &x;
    list_list(x: Vec<Vec<String>>) => &x;
    point_of(x: Point) => x;
    nested_of(x: Nested) => &x;
    one_of(x: One) => x;
    shape_of(x: Shape) => &x;
    shapes(x: Vec<Shape>) => &x;
    plain_of(x: Plain) => x;
    color_of(x: Color) => x;
    few_of(x: Few) => x;
    some_of(x: Some) => x;
    all_of(x: All) => x;
    tuple_of(x: (u8, String, f64)) => (x.0, &x.1, x.2);
    option_u32(x: Option<u32>) => x;
    option_string(x: Option<String>) => x.as_deref();
    option_option(x: Option<Option<String>>) => x.as_ref().map(|x| x.as_deref());
    result_of(x: Result<String, Color>) => x.as_deref().map_err(|x| *x);
    result_ok(x: Result<u64, ()>) => x;
    result_err(x: Result<(), String>) => x.as_ref().map(|_| ()).map_err(|x| x.as_str());
    result_none(x: Result<(), ()>) => x;
    result_inner(x: Vec<Result<String, f32>>) => &x;
    wide(x: VariantOfAll) => &x;
}

world::export!(Component);
