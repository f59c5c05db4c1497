"""Whether every link within the built site leads somewhere: ``python docs/check_site.py FOLDER``.

Sphinx checks what is written in the pages; this reads what came out, as a browser would. Nothing is
fetched: links to elsewhere are left alone. Exit code 1 where a link leads nowhere, each on a line of its own.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src", "object": "data"}


class _Page(HTMLParser):
    """The links of a page and the places in it that a link may name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.places |= {place for key in ("id", "name") if (place := named.get(key))}
        if link := named.get(_LINKS.get(tag, "")):
            self.links.append(link)


def broken(site: Path) -> list[str]:
    """One line for each link that leads nowhere, or to a place that its page does not have."""
    pages = {path.resolve(): _Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = pages.get(target)
            if not target.is_file():
                found.append(f"{path.relative_to(site.resolve())}: {link}: no such file")
            elif there and unquote(parts.fragment) not in there.places:
                found.append(f"{path.relative_to(site.resolve())}: {link}: no such place in that page")
    return found


def main() -> int:
    """What the command line asks for."""
    site = Path(sys.argv[1])
    lines = broken(site)
    print(*lines, sep="\n", end="\n" if lines else "")
    pages = sum(1 for _ in site.rglob("*.html"))
    print(f"{site}: {pages} pages, {len(lines)} broken links")
    return 1 if lines or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
