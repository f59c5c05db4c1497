"""Damages to the files of a ledger, one at a time: what disks, editors and mistaken copies do."""

import json
from dataclasses import dataclass
from pathlib import Path

_TYPES = (None, True, -1, 0, 1e308, "x", [], {}, [1, 2], {"a": 1})


@dataclass
class Damage:
    """What is done to a file; content None where it is deleted."""

    path: Path
    name: str
    content: bytes | None

    def __enter__(self):
        self._before = self.path.read_bytes()
        if self.content is None:
            self.path.unlink()
        else:
            self.path.write_bytes(self.content)

    def __exit__(self, *error):
        self.path.write_bytes(self._before)


def damages(path, rng, flips=4, other=None, values=8):
    """Damages of one file, in random places; other: a file of the same name that belongs elsewhere."""
    content = path.read_bytes()
    yield Damage(path, "deleted", None)
    for name, new in (("empty", b""), ("braces", b"{}"), ("list", b"[]"), ("zeros", bytes(len(content)))):
        yield Damage(path, name, new)
    for _ in range(flips):
        place, bit = int(rng.integers(len(content))), int(rng.integers(8))
        flipped = bytearray(content)
        flipped[place] ^= 1 << bit
        yield Damage(path, f"bit {bit} of byte {place}", bytes(flipped))
        yield Damage(path, f"cut at {place}", content[:place])
    if other is not None and other.read_bytes() != content:
        yield Damage(path, f"that of {other.parent.name}", other.read_bytes())
    if path.suffix == ".json":
        yield from _of_json(path, json.loads(content), rng, values)
    if path.suffix == ".jsonl":
        lines = content.splitlines(keepends=True)
        yield Damage(path, "last line gone", b"".join(lines[:-1]))
        yield Damage(path, "last line cut", content[: -len(lines[-1]) // 2])


def without_digests(folder):
    """Make a ledger an older one, whose records know no digests."""
    for path in folder.rglob("*.json"):
        record = json.loads(path.read_text())
        for key in ("digest", "files", "key"):
            record.pop(key, None)
        path.write_text(json.dumps(record, indent=1))


def _of_json(path, document, rng, values):
    """A key gone, or of another type or value, somewhere in the document."""
    places = [place for place in _places(document) if place]
    for number in rng.permutation(len(places))[:values]:
        place = places[number]
        for what in ("gone", *rng.permutation(len(_TYPES))[:2]):
            changed = json.loads(json.dumps(document))
            inner = changed
            for key in place[:-1]:
                inner = inner[key]
            if what == "gone":
                del inner[place[-1]]
            else:
                inner[place[-1]] = _TYPES[int(what)]
            words = ".".join(map(str, place))
            # As another program would write it, with the digest that was there.
            yield Damage(path, f"{words} {what}", (json.dumps(changed, indent=1) + "\n").encode())


def _places(value, place=()):
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*place, key))
