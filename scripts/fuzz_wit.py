"""Feed mutated WIT texts and binaries to the front end: it may refuse them, and nothing else.

    python scripts/fuzz_wit.py [--count N | --minutes M] [--seed S] [--only INDEX] [--inputs FOLDER]

The inputs are the conformance cases, with one of their files mutated, as bytes or as tokens. Of each input:
reading takes less than a second of processor time; it gives an IR, or an error of a class that says the input
is at fault; every form of the error can be shown; an IR can be printed as JSON and as WIT, and encoded.

Input number i of seed s is always the same: `--seed s --only i` runs it alone. The exit status is 1 where
something was found; the inputs are then kept.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from ingen_runtime.errors import ComponentFormatError, IngenError
from ingen_sdkgen.diagnostics import WitErrors, render_github, render_json, render_text
from ingen_sdkgen.encode import EncodeError, encode_package
from ingen_sdkgen.failures import UnreadableInput
from ingen_sdkgen.model_json import render_json as render_ir
from ingen_sdkgen.reading import read
from ingen_sdkgen.wit.printer import UnprintableError, print_wit

ROOT = Path(__file__).resolve().parent.parent
CONFORMANCE = ROOT.parent / "shared" / "conformance"
TIME_LIMIT_S = 1.0
# Processor time too, far above the limit: an input that takes this long is stopped rather than timed.
_STOP_AFTER_S = 20.0

_TOKEN = re.compile(rb"\s+|//[^\n]*|/\*.*?\*/|->|%?[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*|.", re.DOTALL)
_EXTREMES = [
    b"list<" * 150,
    b"(" * 500,
    b"{" * 300,
    b"package a:b { " * 120,
    b"/*" * 200,
    b"99999999999999999999999",
    b"@since(version = 1.0.0)",
    b"@unstable(feature = x)",
    b"%",
    b"\xef\xbb\xbf",
    b"\r",
    b"\0",
    "\u202e\u00e9\U0001f600".encode(),
    b"\xff\xfe",
]


@dataclass(frozen=True, slots=True)
class Case:
    """An input to mutate: a file or a folder, and the files in it (relative; of a file, its name alone)."""

    path: Path
    is_folder: bool
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """An input on which the front end did what it must not do."""

    index: int
    case: str
    what: str


@dataclass(slots=True)
class Tally:
    """How the inputs of a run ended."""

    accepted: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    slowest_index: int | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many inputs have run."""
        return self.accepted + self.refused + len(self.findings)


class Corpus:
    """The cases, laid out in a folder of this run's own so that their files can be changed."""

    def __init__(self, conformance: Path, scratch: Path) -> None:
        """Copy the cases of `conformance` below `scratch`, and encode those that can be encoded."""
        self.cases: list[Case] = []
        tokens: set[bytes] = set()
        self.contents: list[bytes] = []
        for expected in ("accept", "reject"):
            for source in sorted((conformance / "wit" / expected).iterdir()):
                if source.is_dir():
                    self._add(source, scratch / expected / source.name)
        self.valid: list[Case] = []
        for case in list(self.cases):
            with contextlib.suppress(IngenError):
                resolve = read(case.path)
                self.valid.append(case)
                encoded = encode_package(resolve)
                binary = scratch / "encoded" / f"{len(self.valid)}.wasm"
                binary.parent.mkdir(exist_ok=True)
                binary.write_bytes(encoded)
                self.valid.append(Case(binary, False, (Path(binary.name),)))
        self.cases += [case for case in self.valid if case not in self.cases]
        for case in self.cases:
            for file in case.files:
                data = (case.path / file if case.is_folder else case.path).read_bytes()
                self.contents.append(data)
                if file.suffix == ".wit":
                    tokens.update(_TOKEN.findall(data))
        self.tokens = sorted(tokens)
        self.words = [token for token in self.tokens if token[:1].isalpha()]

    def _add(self, source: Path, target: Path) -> None:
        shutil.copytree(source, target)
        folder = target / "wit"
        if folder.is_dir():
            files = sorted(path.relative_to(folder) for path in folder.rglob("*.w*") if path.is_file())
            self.cases.append(Case(folder, True, tuple(files)))
        for file in sorted(target.glob("*.wit")):
            self.cases.append(Case(file, False, (Path(file.name),)))


def mutate(data: bytes, corpus: Corpus, choice: random.Random) -> bytes:
    """Other contents for a file: one to six changes, of bytes or of tokens."""
    text = choice.random() < 0.6 and not data.startswith(b"\0asm")
    for _ in range(choice.choice([1, 1, 1, 1, 1, 2, 3, 6])):
        data = _mutate_tokens(data, corpus, choice) if text else _mutate_bytes(data, corpus, choice)
    return data


def _mutate_bytes(data: bytes, corpus: Corpus, choice: random.Random) -> bytes:
    at = choice.randint(0, len(data))
    end = min(len(data), at + choice.choice([1, 1, 2, 4, 16, 256]))
    before, piece, after = data[:at], data[at:end], data[end:]
    match choice.randrange(8):
        case 0:  # a bit flipped in each byte
            return before + bytes(byte ^ 1 << choice.randrange(8) for byte in piece) + after
        case 1:  # another byte
            return (
                before + bytes([choice.choice([0, 0x7F, 0x80, 0xFF, choice.randrange(256)])]) + data[at + 1 :]
            )
        case 2:  # bytes from nowhere
            return before + choice.randbytes(choice.choice([1, 2, 8])) + data[at:]
        case 3:  # a gap
            return before + after
        case 4:  # a piece again
            return before + piece * choice.choice([2, 2, 4]) + after
        case 5:  # the end is missing
            return before
        case 6:  # a piece of another file
            other = choice.choice(corpus.contents)
            cut = choice.randint(0, len(other))
            return before + other[cut : cut + choice.choice([4, 32, 256])] + after
        case _:  # a large number in the form of LEB128, where binaries have their lengths
            return before + choice.choice([b"\xff\xff\xff\xff\x0f", b"\x80" * 6, b"\xff\x7f"]) + after


def _mutate_tokens(data: bytes, corpus: Corpus, choice: random.Random) -> bytes:
    tokens = _TOKEN.findall(data)
    if not tokens:
        return choice.choice(corpus.tokens)
    at = choice.randrange(len(tokens))
    end = min(len(tokens), at + choice.choice([1, 1, 2, 5, 20]))
    match choice.randrange(9):
        case 0:  # a gap
            del tokens[at:end]
        case 1:  # a piece twice
            tokens[at:at] = tokens[at:end]
        case 2:  # two change places
            other = choice.randrange(len(tokens))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        case 3:  # another token of the language
            tokens[at] = choice.choice(corpus.tokens)
        case 4:  # one more token
            tokens[at:at] = [b" ", choice.choice(corpus.tokens), b" "]
        case 5:  # another token of the same file: names that exist, in the wrong place
            tokens[at] = choice.choice(tokens)
        case 6 | 7:  # a word for a word: often well-formed, and then up to the resolver
            words = [place for place, token in enumerate(tokens) if token[:1].isalpha()]
            if words:
                known = corpus.words if choice.random() < 0.5 else [tokens[place] for place in words]
                tokens[choice.choice(words)] = choice.choice(known)
        case _:
            tokens[at:at] = [choice.choice(_EXTREMES)]
    return b"".join(tokens)


class _TookTooLong(BaseException):
    """Not an Exception: nothing in the front end may catch it."""


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise _TookTooLong  # see _STOP_AFTER_S


def try_input(path: Path) -> str | None:
    """Read what is there. Returns None where it was accepted, or the kind of error that refused it.

    Raises: whatever else the front end raised.
    """
    try:
        resolve = read(path)
    except WitErrors as errors:
        assert errors.errors
        for error in errors.errors:
            assert error.message
            render_text(error, errors.sources, colour=True)
            render_github(error, errors.sources)
        render_json(errors.errors, errors.sources)
        return type(errors.errors[0]).__name__
    except UnreadableInput as error:
        if not isinstance(error.__cause__, ComponentFormatError):
            raise
        return "ComponentFormatError"
    render_ir(resolve)
    with contextlib.suppress(UnprintableError):
        print_wit(resolve)
    with contextlib.suppress(EncodeError):
        encode_package(resolve)
    return None


def run_input(corpus: Corpus, seed: int, index: int, tally: Tally, keep_in: Path | None) -> None:
    """Make input number `index` of `seed`, try it and count it; a finding is kept in `keep_in`."""
    choice = random.Random(f"{seed}:{index}")
    # What is right to begin with gets further, and so has more to trip over.
    case = choice.choice(corpus.valid if choice.random() < 0.8 else corpus.cases)
    file = choice.choice(case.files)
    place = case.path / file if case.is_folder else case.path
    original = place.read_bytes()
    mutated = mutate(original, corpus, choice)
    place.write_bytes(mutated)
    problem: str | None = None
    start = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_PROF, _STOP_AFTER_S)
        refused = try_input(case.path)
        signal.setitimer(signal.ITIMER_PROF, 0)
    except (Exception, _TookTooLong) as error:
        signal.setitimer(signal.ITIMER_PROF, 0)
        problem = "".join(traceback.format_exception(error, limit=-6))
    seconds = time.process_time() - start
    if problem is None and seconds > TIME_LIMIT_S:
        problem = f"took {seconds:.2f} s"
    if seconds > tally.slowest_s:
        tally.slowest_s, tally.slowest_index = seconds, index
    if problem is not None:
        tally.findings.append(Finding(index, str(file), problem))
        if keep_in is not None:
            kept = keep_in / f"{seed}-{index}"
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(parents=True)
            if case.is_folder:
                shutil.copytree(case.path, kept / "wit")
            else:
                shutil.copy(case.path, kept)
    elif refused is None:
        tally.accepted += 1
    else:
        tally.refused += 1
    place.write_bytes(original)


def fuzz(
    conformance: Path,
    seed: int,
    indices: Iterator[int],
    *,
    keep_in: Path | None = None,
    until: float = float("inf"),
) -> Iterator[Tally]:
    """Run inputs until `indices` end or the monotonic clock reaches `until`; gives the tally after each."""
    tally = Tally()
    before = signal.signal(signal.SIGPROF, _stop)
    try:
        with tempfile.TemporaryDirectory(prefix="ingen-fuzz-") as scratch:
            corpus = Corpus(conformance, Path(scratch))
            for index in indices:
                if time.monotonic() > until:
                    return
                run_input(corpus, seed, index, tally, keep_in)
                yield tally
    finally:
        signal.signal(signal.SIGPROF, before)


def _show_progress(tallies: Iterator[Tally], total: int | None) -> Tally:
    tally = Tally()
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("inputs", total=total)
            for tally in tallies:
                found = len(tally.findings)
                if tally.count % 50 == 0 or tally.count == total:
                    progress.update(task, completed=tally.count, description=f"inputs, {found} findings")
        return tally
    told = time.monotonic()
    for tally in tallies:
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"{tally.count} inputs, {len(tally.findings)} findings", file=sys.stderr, flush=True)
    return tally


def main() -> int:
    """Run what the command line asks for; the exit status says whether something was found."""
    parser = argparse.ArgumentParser(description="Feed mutated WIT texts and binaries to the front end.")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--count", type=int, default=20_000, help="how many inputs (default: 20000)")
    amount.add_argument("--minutes", type=float, help="go on for so long instead")
    amount.add_argument("--only", type=int, metavar="INDEX", help="run input number INDEX alone")
    parser.add_argument("--seed", type=int, help="repeat the run that printed this seed (default: a new one)")
    parser.add_argument("--inputs", type=Path, default=CONFORMANCE, help="the conformance data")
    parser.add_argument("--keep", type=Path, default=ROOT / "build" / "fuzz", help="where findings are kept")
    arguments = parser.parse_args()
    if not (arguments.inputs / "wit").is_dir():
        parser.error(f"there is no conformance data in {arguments.inputs}; name its folder with --inputs")
    seed = random.SystemRandom().randrange(2**32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    total: int | None = arguments.count
    indices: Iterator[int] = iter(range(arguments.count))
    until = float("inf")
    if arguments.only is not None:
        total, indices = 1, iter([arguments.only])
    elif arguments.minutes is not None:
        total, indices, until = None, iter(range(2**62)), time.monotonic() + 60 * arguments.minutes
    start = time.monotonic()
    tally = _show_progress(fuzz(arguments.inputs, seed, indices, keep_in=arguments.keep, until=until), total)
    for finding in tally.findings[:20]:
        print(f"\n--- input {finding.index}: {finding.case}\n{finding.what}")
    print(
        f"{tally.count} inputs in {time.monotonic() - start:.0f} s: {tally.accepted} accepted, "
        f"{tally.refused} refused; slowest {tally.slowest_s * 1e3:.0f} ms (input {tally.slowest_index}); "
        f"{len(tally.findings)} findings"
    )
    if tally.findings:
        print(f"The inputs are in {arguments.keep}; `--seed {seed} --only INDEX` runs one again.")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
