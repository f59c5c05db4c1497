"""Digests: how a reader knows that a file is the one that was written.

A sealed record is JSON whose first key is the digest of all that follows it. Older ledgers have records
without one, which are read as they are. Of other files, a record that is written later holds the digests.
"""

import re
from hashlib import blake2b
from pathlib import Path

_SEAL = re.compile(r'\{\n "digest": "([0-9a-f]{32})",\n')
_CHUNK = 1 << 20

DIFFERS = "its content is not what was written"  # what is said of a file that has another digest


def digest_of(content: bytes) -> str:
    """32 hexadecimal digits of BLAKE2b: against damage and mistakes, not against forgery."""
    return blake2b(content, digest_size=16).hexdigest()


def digest_of_file(path: Path) -> str:
    """``digest_of`` a file's content, which is read piece by piece; OSError where it cannot be read."""
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def sealed(text: str) -> str:
    """A JSON object, indented by one space, with the digest of its text in front; an empty one as it is."""
    if not text.startswith("{\n"):
        return text
    rest = text.removeprefix("{\n")
    return f'{{\n "digest": "{digest_of(rest.encode())}",\n{rest}'


def without_seal(text: str) -> str:
    """The text that was sealed, unverified; one without a seal as it is."""
    seal = _SEAL.match(text)
    return "{\n" + text[seal.end() :] if seal else text


def check_seal(text: str) -> None:
    """ValueError where a text is not what was sealed; one without a seal passes."""
    seal = _SEAL.match(text)
    if seal and digest_of(text[seal.end() :].encode("utf-8", "surrogatepass")) != seal[1]:
        raise ValueError(DIFFERS)
