"""Texts of others in tables: shown as they are, whatever characters they are made of."""

import re
import unicodedata

_MOST = 200  # characters of a cell; more is shortened

# What GitHub's Markdown would read as its own, an HTML tag or entity, a link, emphasis or mathematics.
_MARKUP = re.compile(
    r"[\\|`$]"  # a pipe would end the cell
    r"|[*~](?=\S)|(?<=\S)[*~]"
    r"|(?<!\w)_(?=\S)|(?<=\S)_(?!\w)"
    r"|\[(?=[^\[\]]*\]\()"
)
_TAG, _ENTITY = re.compile(r"<(?=[A-Za-z/!?])"), re.compile(r"&(?=#?\w+;)")

_AT_START = re.compile(r"^(#|\+|-|=|>|\d+(?=[.)]))")
_ESCAPED = re.compile(r"\\([\\|`$*~_\[#+=>-])|(?<=\d)\\(?=[.)])")

_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "`": r"\textasciigrave{}"},
    **{"\u2212": "$-$", "\u00d7": r"$\times$", "\u2013": "--", "\u2014": "---"},
    **{"±": r"$\pm$", "…": r"\ldots{}", "≈": r"$\approx$", "≡": r"$\equiv$"},
    **{"Δ": r"$\Delta$", "▲": r"$\uparrow$", "▼": r"$\downarrow$"},
}
_MINUS = re.compile(r"(?<![\w.)])-(?=\d)")  # before a number, and no hyphen


def plain(words: str, most: int = _MOST) -> str:
    """Words on one line of visible characters: what cannot be seen is shown by its number, as ``\\u202e``.

    Right-to-left marks among them, which would turn the rest of a row round. More than ``most`` characters
    are shortened, and their number is given.
    """
    if words.isprintable() and len(words) <= most:
        return words
    shown = "".join(_visible(character) for character in words[: most + 1])
    if len(words) <= most:
        return shown
    return f"{shown[:most]}… ({len(words):,} characters)"


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn"):
        number = ord(character)
        return f"\\u{number:04x}" if number < 1 << 16 else f"\\U{number:08x}"
    return character


def in_markdown(words: str) -> str:
    """Words as a cell of a table of GitHub's Markdown, where nothing of them is markup or HTML."""
    words = _ENTITY.sub("&amp;", words)
    words = _MARKUP.sub(lambda found: f"\\{found[0]}", words)
    return _TAG.sub("&lt;", words)


def as_markdown(text: object, most: int = _MOST) -> str:
    """A name, or any text from outside, as a part of Markdown's words that is shown as it is, on one line."""
    words = in_markdown(" ".join(plain(str(text), most).split()))
    # What is markup at the beginning of a line alone.
    return _AT_START.sub(lambda mark: mark[0] + "\\" if mark[0].isdigit() else "\\" + mark[0], words)


def unmarked(markdown: str) -> str:
    """Words for a terminal: without emphasis, and without what ``as_markdown`` put there."""
    bare = _ESCAPED.sub(lambda mark: mark[1] or "", markdown.replace("**", ""))
    return bare.replace("&lt;", "<").replace("&amp;", "&")


def in_latex(words: str) -> str:
    """Words as text of LaTeX, with true minus signs before numbers.

    Letters that pdfLaTeX does not know, such as Chinese ones, stay as they are: XeLaTeX and LuaLaTeX know
    them.
    """
    return "".join(_LATEX.get(character, character) for character in _MINUS.sub("\u2212", words))


def is_number(cell: str) -> bool:
    """Whether a cell begins as numbers do, such as ``-1.20``, ``< 0.0001`` and ``12 to 15``."""
    return re.match(r"[<+\-\u2212]?\s*\(?\d[\d,]*(\.\d+)?(e-?\d+)?(?![\w.])", cell) is not None
