"""One row as each variant sees it, on a terminal."""

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from trimtab.plan.show import Block, Mask, Shown, Side, pieces

Brackets = tuple[str, str]
_KEPT, _CUT = "bold", "dim strike"
# Data may hold what steers a terminal; each such character stands as one that does not.
CONTROLS = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def print_shown(shown: Shown, console: Console | None = None) -> None:
    """Print a row: its label, then each block of variants with what they keep.

    On a terminal with colours what is cut is dim and struck through; elsewhere it stands in square brackets,
    with hyphens where the texts themselves have brackets.
    """
    console = console or Console(highlight=False)
    styled = console.is_terminal and not console.no_color and console.color_system is not None
    brackets = None if styled else _brackets(shown.sides)
    marks = "in {}square brackets{}".format(*brackets) if brackets else "struck through"
    kind = "label" if shown.target == "classes" else shown.target
    place = f"{shown.split}, row {shown.row} of {shown.rows:,} (counted from 0), {kind} {shown.label}"
    console.print(Text(place.translate(CONTROLS)))
    console.print(Text(f"{_lengths_words(shown.sides)}; what is cut is {marks}"))
    if shown.tokenizer is not None:
        console.print(Text(f"read by {shown.tokenizer}".translate(CONTROLS)))
    for words in _about_words(shown):
        console.print(Text(words))
    for block in shown.blocks:
        console.print()
        for name in block.names:
            console.print(Text(name, "bold cyan" if styled else ""))
        for text in _block_texts(block, shown, brackets):
            for line in text.wrap(console, max(console.width - 2, 10)):
                line.rstrip()
                console.print(Text("  ") + line, soft_wrap=True)


def _brackets(sides: Sequence[Side]) -> Brackets:
    return ("[-", "-]") if any(sign in side.text for side in sides for sign in "[]") else ("[", "]")


def marked(side: Side, kept: Mask, brackets: Brackets | None) -> Text:
    """The text of a side with what is cut marked: by brackets, or by style without them."""
    text = Text()
    for piece, is_kept in pieces(side.text, side.spans, kept):
        piece = piece.translate(CONTROLS)
        if brackets is None:
            text.append(piece, _KEPT if is_kept else _CUT)
        else:
            text.append(piece if is_kept else f"{brackets[0]}{piece}{brackets[1]}")
    return text


def _about_words(shown: Shown) -> list[str]:
    """Lines on the decisive words, and on those that the vocabulary lacks, where there are any."""
    decisive = [repr(side.word(side.evidence)) for side in shown.sides if side.evidence is not None]
    unknown = dict.fromkeys(word for side in shown.sides for word in side.unknown)
    lines = [f"decisive words: {' and '.join(decisive)}"] if decisive else []
    if unknown:
        lines.append(f"the model sees {shown.unknown_token} for: {', '.join(unknown)}".translate(CONTROLS))
    return lines


def _lengths_words(sides: Sequence[Side]) -> str:
    return f"{' + '.join(str(len(side.ids)) for side in sides)} tokens"


def _block_texts(block: Block, shown: Shown, brackets: Brackets | None) -> Iterator[Text]:
    if block.kept is None:
        yield Text(f"does not apply to this pair: {_lengths_words(shown.sides)}, a budget of {block.budget}")
        return
    names = ("first", "second") if len(shown.sides) > 1 else ("text",)
    for name, side, kept in zip(names, shown.sides, block.kept, strict=True):
        yield Text(f"{name}: {_kept_words(side, kept)}", "" if brackets else "cyan")
        yield marked(side, kept, brackets)
    for number, (start, end) in enumerate(block.windows, 1):
        side = shown.sides[-1]
        mask = np.zeros(len(side.ids), bool)
        mask[start:end] = True
        here = ""
        if side.evidence is not None and mask[side.evidence]:
            here = ", with the decisive word"
        place = f"tokens {start + 1} to {end}{here}"
        yield Text(f"window {number} of {len(block.windows)}: {place}", "" if brackets else "cyan")
        yield Text(side.text[slice(side.spans[start, 0], side.spans[end - 1, 1])].translate(CONTROLS))


def _kept_words(side: Side, kept: Mask) -> str:
    number, whole = int(kept.sum()), len(kept)
    words = (
        f"{number:,} of {whole:,} tokens" if number or not whole else f"cut to nothing, {whole:,} tokens lost"
    )
    if side.evidence is not None:
        words += f", the decisive word {'kept' if kept[side.evidence] else 'CUT'}"
    return words
