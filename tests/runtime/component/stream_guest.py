"""A component with functions that take and give streams and futures, in the text format."""

from __future__ import annotations

KINDS = {"bytes": "(stream u8)", "numbers": "(stream u32)", "texts": "(stream string)", "ticks": "(stream)"}


def _canons() -> str:
    lines = []
    for kind in KINDS:
        lines += [
            f"(core func ${kind}.new (canon stream.new ${kind}))",
            f"(core func ${kind}.read (canon stream.read ${kind} {_OPTIONS}))",
            f"(core func ${kind}.write (canon stream.write ${kind} {_OPTIONS}))",
            f"(core func ${kind}.drop-readable (canon stream.drop-readable ${kind}))",
            f"(core func ${kind}.drop-writable (canon stream.drop-writable ${kind}))",
        ]
    return "\n".join(lines)


_OPTIONS = '(memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))'
_STREAM_IMPORTS = "\n".join(
    f"""(import "" "{kind}.new" (func ${kind}.new (result i64)))
        (import "" "{kind}.read" (func ${kind}.read (param i32 i32 i32) (result i32)))
        (import "" "{kind}.write" (func ${kind}.write (param i32 i32 i32) (result i32)))
        (import "" "{kind}.drop-readable" (func ${kind}.drop-readable (param i32)))
        (import "" "{kind}.drop-writable" (func ${kind}.drop-writable (param i32)))"""
    for kind in KINDS
)
_STREAM_EXPORTS = "\n".join(
    f'(export "{kind}.{verb}" (func ${kind}.{verb}))'
    for kind in KINDS
    for verb in ("new", "read", "write", "drop-readable", "drop-writable")
)

# Reads and writes are synchronous, and each function is a task of its own that may wait in them.
GUEST = f"""
(component
  (import "source" (func $source (result (stream u8))))
  (import "sink" (func $sink (param "bytes" (stream u8)) (result u32)))
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $libc (instantiate $libc))
  {"".join(f"(type ${kind} {type_})" for kind, type_ in KINDS.items())}
  (type $future (future u32))
  {_canons()}
  (core func $future.new (canon future.new $future))
  (core func $future.read (canon future.read $future {_OPTIONS}))
  (core func $future.write (canon future.write $future {_OPTIONS}))
  (core func $future.drop-readable (canon future.drop-readable $future))
  (core func $future.drop-writable (canon future.drop-writable $future))
  (core func $return-number (canon task.return (result u32)))
  (core func $return-bytes (canon task.return (result $bytes)))
  (core func $return-numbers (canon task.return (result $numbers)))
  (core func $return-texts (canon task.return (result $texts)))
  (core func $return-ticks (canon task.return (result $ticks)))
  (core func $return-future (canon task.return (result $future)))
  (core func $source (canon lower (func $source)))
  (core func $sink (canon lower (func $sink)))
  (core module $m
    {_STREAM_IMPORTS}
    (import "" "memory" (memory 1))
    (import "" "future.new" (func $future.new (result i64)))
    (import "" "future.read" (func $future.read (param i32 i32) (result i32)))
    (import "" "future.write" (func $future.write (param i32 i32) (result i32)))
    (import "" "future.drop-readable" (func $future.drop-readable (param i32)))
    (import "" "future.drop-writable" (func $future.drop-writable (param i32)))
    (import "" "return-number" (func $return-number (param i32)))
    (import "" "return-stream" (func $return-bytes (param i32)))
    (import "" "return-numbers" (func $return-numbers (param i32)))
    (import "" "return-texts" (func $return-texts (param i32)))
    (import "" "return-ticks" (func $return-ticks (param i32)))
    (import "" "return-future" (func $return-future (param i32)))
    (import "" "source" (func $source (result i32)))
    (import "" "sink" (func $sink (param i32) (result i32)))

    (global $free (mut i32) (i32.const 1024))
    (func $sum (param $stream i32) (result i32)
      (local $status i32) (local $at i32) (local $sum i32)
      (block $end
        (loop $more
          (local.set $status (call $bytes.read (local.get $stream) (i32.const 16) (i32.const 8)))
          (local.set $at (i32.const 0))
          (block $added
            (loop $add
              (br_if $added (i32.eq (local.get $at) (i32.shr_u (local.get $status) (i32.const 4))))
              (local.set $sum
                (i32.add (local.get $sum) (i32.load8_u (i32.add (i32.const 16) (local.get $at)))))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $add)))
          (br_if $end (i32.eq (i32.and (local.get $status) (i32.const 15)) (i32.const 1)))
          (br $more)))
      (call $bytes.drop-readable (local.get $stream))
      (local.get $sum))
    (func (export "sum") (param i32) (call $return-number (call $sum (local.get 0))))
    (func (export "sum-source") (call $return-number (call $sum (call $source))))
    (func (export "echo") (param i32) (call $return-bytes (local.get 0)))
    (func (export "first") (param $stream i32)
      (drop (call $bytes.read (local.get $stream) (i32.const 16) (i32.const 1)))
      (call $bytes.drop-readable (local.get $stream))
      (call $return-number (i32.load8_u (i32.const 16))))
    (func (export "peek") (param $stream i32)
      (drop (call $bytes.read (local.get $stream) (i32.const 16) (i32.const 0)))
      (call $return-number (call $sum (local.get $stream))))
    (func (export "through") (param i32) (call $return-number (call $sink (local.get 0))))
    (func (export "count") (param $n i32)
      (local $ends i64) (local $writable i32) (local $value i32) (local $at i32)
      ;; Tasks of several calls run at a time: each has a place of its own.
      (local.set $at (global.get $free))
      (global.set $free (i32.add (global.get $free) (i32.const 4)))
      (local.set $ends (call $numbers.new))
      (local.set $writable (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (call $return-numbers (i32.wrap_i64 (local.get $ends)))
      (block $end
        (loop $more
          (br_if $end (i32.eq (local.get $value) (local.get $n)))
          (i32.store (local.get $at) (local.get $value))
          (br_if $end (i32.eq (i32.const 1)
            (i32.and (i32.const 15)
              (call $numbers.write (local.get $writable) (local.get $at) (i32.const 1)))))
          (local.set $value (i32.add (local.get $value) (i32.const 1)))
          (br $more)))
      (call $numbers.drop-writable (local.get $writable)))
    (func (export "copy") (param $readable i32)
      (local $ends i64) (local $writable i32)
      (local.set $ends (call $texts.new))
      (local.set $writable (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (call $return-texts (i32.wrap_i64 (local.get $ends)))
      (block $end
        (loop $more
          (br_if $end (i32.eq (i32.const 1)
            (i32.and (i32.const 15) (call $texts.read (local.get $readable) (i32.const 80) (i32.const 1)))))
          (br_if $end (i32.eq (i32.const 1)
            (i32.and (i32.const 15) (call $texts.write (local.get $writable) (i32.const 80) (i32.const 1)))))
          (br $more)))
      (call $texts.drop-readable (local.get $readable))
      (call $texts.drop-writable (local.get $writable)))
    (func (export "tick") (param $n i32)
      (local $ends i64) (local $writable i32)
      (local.set $ends (call $ticks.new))
      (local.set $writable (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (call $return-ticks (i32.wrap_i64 (local.get $ends)))
      (drop (call $ticks.write (local.get $writable) (i32.const 0) (local.get $n)))
      (call $ticks.drop-writable (local.get $writable)))
    (func (export "fail") (param $n i32)
      (local $ends i64)
      (local.set $ends (call $numbers.new))
      (call $return-numbers (i32.wrap_i64 (local.get $ends)))
      (drop (call $numbers.write
        (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))) (i32.const 64) (local.get $n)))
      unreachable)
    (func (export "double") (param $future i32)
      (local $ends i64) (local $writable i32)
      (local.set $ends (call $future.new))
      (local.set $writable (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (call $return-future (i32.wrap_i64 (local.get $ends)))
      (drop (call $future.read (local.get $future) (i32.const 96)))
      (call $future.drop-readable (local.get $future))
      (i32.store (i32.const 96) (i32.mul (i32.const 2) (i32.load (i32.const 96))))
      (drop (call $future.write (local.get $writable) (i32.const 96)))
      (call $future.drop-writable (local.get $writable)))
    (func (export "forget") (param $future i32) (param $number i32)
      (call $future.drop-readable (local.get $future))
      (call $return-number (local.get $number))))
  (core instance $i (instantiate $m (with "" (instance
    {_STREAM_EXPORTS}
    (export "memory" (memory $libc "memory"))
    (export "future.new" (func $future.new)) (export "future.read" (func $future.read))
    (export "future.write" (func $future.write)) (export "future.drop-readable" (func $future.drop-readable))
    (export "future.drop-writable" (func $future.drop-writable))
    (export "return-number" (func $return-number)) (export "return-stream" (func $return-bytes))
    (export "return-numbers" (func $return-numbers)) (export "return-texts" (func $return-texts))
    (export "return-ticks" (func $return-ticks))
    (export "return-future" (func $return-future)) (export "source" (func $source))
    (export "sink" (func $sink))))))
  (func (export "sum") async (param "bytes" $bytes) (result u32) (canon lift (core func $i "sum") async))
  (func (export "sum-source") async (result u32) (canon lift (core func $i "sum-source") async))
  (func (export "echo") async (param "bytes" $bytes) (result $bytes) (canon lift (core func $i "echo") async))
  (func (export "first") async (param "bytes" $bytes) (result u32) (canon lift (core func $i "first") async))
  (func (export "peek") async (param "bytes" $bytes) (result u32) (canon lift (core func $i "peek") async))
  (func (export "through") async (param "bytes" $bytes) (result u32)
    (canon lift (core func $i "through") async))
  (func (export "count") async (param "n" u32) (result $numbers) (canon lift (core func $i "count") async))
  (func (export "fail") async (param "n" u32) (result $numbers) (canon lift (core func $i "fail") async))
  (func (export "tick") async (param "n" u32) (result $ticks) (canon lift (core func $i "tick") async))
  (func (export "copy") async (param "texts" $texts) (result $texts)
    (canon lift (core func $i "copy") async {_OPTIONS}))
  (func (export "double") async (param "future" $future) (result $future)
    (canon lift (core func $i "double") async))
  (func (export "forget") async (param "future" $future) (param "number" u32) (result u32)
    (canon lift (core func $i "forget") async)))
"""
