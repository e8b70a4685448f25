"""WIT texts that several tests use."""

EVERYTHING = """\
/// package docs
package a:b@1.2.3-rc.1+x;

/// iface docs
@since(version = 1.0.0)
interface i {
  /// rec
  record r { /// field
    a: u32, b: list<u8>, c: option<option<string>> }
  @unstable(feature = x)
  @deprecated(version = 1.0.0)
  variant v { a, b(u32), c(r) }
  flags fl { /// d
   a, b }
  enum e { a, /// dd
   b }
  type t = tuple<u8, r>;
  type al = r;
  resource res {
    constructor(a: u32) -> result<res, string>;
    m: func(x: own<res>, y: borrow<res>, z: res) -> res;
    /// s docs
    s: static func();
    am: async func();
    sa: static async func() -> u32;
    foo: get() -> u64;
    foo: set(v: u64);
    bar: static get() -> u64;
    bar: static set(v: u64);
  }
  @external-id("https://x")
  f: func(a: list<u32, 4>, m: map<string, u32>, r: result<_, string>, r2: result<u32>, r3: result);
  f2: func(a: result<u32, string>, b: tuple<u32>, c: map<char, result>);
  g: async func(a: future<u32>, b: future, c: stream<u8>, d: stream, e: error-context) -> list<list<r>>;
  foo: get() -> u64;
  foo: set(v: u64);
  @external-id("id-type")
  type kk = u32;
}
interface j {
  use i.{r, res as res2};
  @since(version = 1.0.0)
  use i.{v as vv};
  h: func(x: r) -> res2;
  resource yy;
}
/// world docs
world w {
  use i.{r, e as ee};
  type loc = r;
  resource wr { constructor(); m: func(); }
  /// imp f
  @external-id("https://f")
  import f: func(a: r);
  import af: async func();
  import j;
  /// lab
  @external-id("https://prim")
  import primary: j;
  import inl: interface { k: func(); type z = u8; }
  @since(version = 1.0.0)
  @external-id("https://exp")
  export j;
  export sec: j;
  export ef: func() -> loc;
  export inle: interface { use i.{r}; k: func(q: r); }
  import foo: get() -> u64;
  import foo: set(v: u64);
}
world w2 { include w with { primary as prim2, f as f2 } }
"""
"""One package with every kind of item, type, gate and annotation."""

SHARED_TYPES = """\
package a:b;
interface a { type t = u8; resource r; type l = list<u8>; }
interface b { use a.{t, r}; g: func(x: own<r>); }
interface c { use b.{r}; use a.{t as q, r as rr}; }
world w { import a; import lab: a; import b; export a; export b; export c; export lab2: a;
 use a.{r}; export f: func(x: r); export in: interface { use a.{r}; use b.{r as r2}; } }
world w2 { export c; export b; import f: func(x: list<u8>, y: list<list<u8>>);
 import g: func(x: list<u8>, y: list<list<u8>>);
 type k = u8; type kk = list<u8>; import h: func(x: kk, y: list<u8>); export zz: func(y: list<u8>);
 export x: interface { type lst = list<u8>; lf: func(x: list<u8>); }  }
"""
"""Interfaces that use each other's types, imported and exported, with and without labels."""
