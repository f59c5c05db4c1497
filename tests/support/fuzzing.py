"""A fuzzer: files that are read as they come from others, mutated; nothing but InputError may come of it.

    python tests/support/fuzzing.py KIND ... --minutes 10 --seed 1

Each input is judged by four rules: it is read or refused with an InputError of one line; that takes under ten
seconds; no file is written outside the fuzzer's own folder; the process needs no more than two GiB more.
"""

import argparse
import collections
import contextlib
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

LONGEST = 10  # seconds
MOST_MEMORY = 2 << 30  # bytes beyond what the process has when it begins
_TOKENS = (
    b"-1", b"0", b"1e999", b"99999999999999999999999", b"nan", b"null", b"true", b'""', b"[]", b"{}",
    b"[[1]]",
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n", b"\t", b'"', b"'", b",", b"../", b"/etc/passwd",
    b"\xf0\x9f\x98\x80", b"\\ud800",
    b"a" * 300, b"[" * 2000, b"=", b"#", b"%s", b"{a}", b"1" * 5000,
)  # fmt: skip


def mutated(content, rng):
    """Between one and four mutations of bytes, lines or words."""
    content = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        content = _MUTATIONS[int(rng.integers(len(_MUTATIONS)))](content, rng)
    return bytes(content)


def _place(content, rng):
    return int(rng.integers(len(content) + 1))


def _flip(content, rng):
    if content:
        content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    return content


def _cut(content, rng):
    return content[: _place(content, rng)]


def _remove(content, rng):
    start = _place(content, rng)
    del content[start : start + int(rng.integers(1, 40))]
    return content


def _insert(content, rng):
    start = _place(content, rng)
    content[start:start] = _TOKENS[int(rng.integers(len(_TOKENS)))]
    return content


def _repeat(content, rng):
    start, end = sorted((_place(content, rng), _place(content, rng)))
    content[end:end] = content[start : min(end, start + 500)]
    return content


def _word(content, rng):
    """Another token in place of a word, number or string."""
    words = bytes(content).split(b" ")
    words[int(rng.integers(len(words)))] = _TOKENS[int(rng.integers(len(_TOKENS)))]
    return bytearray(b" ".join(words))


def _value(content, rng):
    """Another value behind an equals sign or a colon of a line."""
    lines = bytes(content).split(b"\n")
    number = int(rng.integers(len(lines)))
    for mark in (b"=", b":"):
        if mark in lines[number]:
            head, _, _ = lines[number].partition(mark)
            tail = b"," if lines[number].rstrip().endswith(b",") else b""
            lines[number] = head + mark + b" " + _TOKENS[int(rng.integers(len(_TOKENS)))] + tail
            break
    return bytearray(b"\n".join(lines))


def _swap_lines(content, rng):
    lines = bytes(content).split(b"\n")
    first, second = rng.integers(len(lines), size=2)
    lines[first], lines[second] = lines[second], lines[first]
    return bytearray(b"\n".join(lines))


_MUTATIONS = (_flip, _flip, _cut, _remove, _insert, _insert, _repeat, _word, _value, _value, _swap_lines)


class TooLongError(BaseException):
    """Reading took longer than it may."""


class WroteOutsideError(BaseException):
    """A file was written outside the fuzzer's folder."""


_allowed = []


def _watch(event, arguments):
    """An audit hook: raises where a file is opened to be written outside the folders of ``_allowed``."""
    if not _allowed:
        return
    path = None
    if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        mode, flags = arguments[1] or "", arguments[2] or 0
        if set(mode) & set("wax+") or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            path = arguments[0]
    elif event in ("os.mkdir", "os.remove", "os.rmdir"):
        path = arguments[0] if arguments[-1] == -1 else None  # else relative to a folder that is open
    elif event == "os.rename":
        path = arguments[1]
    if path is not None:
        real = os.path.realpath(os.fsdecode(path))
        if not real.startswith((*_allowed, "/dev/null")):
            raise WroteOutsideError(real)


_hooked = False


@contextlib.contextmanager
def guarded(*folders):
    """Within, the rules on time, memory and places to write hold."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_watch)
        _hooked = True

    def too_long(number, frame):
        raise TooLongError

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits, before = resource.getrlimit(resource.RLIMIT_AS), signal.signal(signal.SIGALRM, too_long)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_MEMORY, limits[1]))
    _allowed.extend(os.path.realpath(folder) for folder in folders)
    try:
        yield
    finally:
        _allowed.clear()
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, limits)


def fuzz(kind, folder, rng, inputs=None, minutes=None):
    """Read mutated inputs of a kind; how many were tried, and by the place of each failure one of them.

    kind: has ``prepare(folder)``, which gives the files to mutate and a function that reads what they belong
    to.
    """
    from trimtab.config import InputError

    files, read = kind(folder)
    whole = {path: path.read_bytes() for path in files}
    read()  # as they are, they can be read
    failures, counts = {}, collections.Counter()
    deadline = time.monotonic() + 60 * (minutes or 1e9)
    with guarded(folder):
        while counts["tried"] != inputs and time.monotonic() < deadline:
            path = files[int(rng.integers(len(files)))]
            content = mutated(whole[path], rng)
            path.write_bytes(content)
            counts["tried"] += 1
            try:
                signal.alarm(LONGEST)
                try:
                    read()
                finally:
                    signal.alarm(0)
            except InputError as error:
                counts["refused"] += 1
                if len(str(error).splitlines()) != 1:
                    failures.setdefault("several lines", (path.name, content, str(error)))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                place = traceback.extract_tb(error.__traceback__)
                ours = [each for each in place if "trimtab" in each.filename and "tests" not in each.filename]
                last = ours[-1] if ours else place[-1]
                key = f"{type(error).__name__} {Path(last.filename).name}:{last.lineno}"
                words = traceback.format_exc(limit=-6)
                failures.setdefault(key, (path.name, content, words))
            finally:
                path.write_bytes(whole[path])
    return counts, failures


def main():
    """Fuzz the kinds named, in turn."""
    from fuzz_kinds import KINDS

    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    bad = 0
    for name in given.kinds:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TRIMTAB_CACHE"] = folder
            rng = np.random.default_rng(given.seed)
            counts, failures = fuzz(KINDS[name], Path(folder), rng, minutes=given.minutes)
        said = f"{counts['tried']:,} tried, {counts['refused']:,} refused"
        print(f"{name}: {said}, {len(failures)} kinds of failure", flush=True)
        for key, (file, content, words) in failures.items():
            print(f"--- {key} ({file}, {len(content)} bytes)\n{words}")
        bad += len(failures)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
