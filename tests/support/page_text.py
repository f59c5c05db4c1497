"""What a reader of report.html reads: its text, without tags, scripts and styles."""

from html.parser import HTMLParser

_SILENT = {"script", "style", "title"}
_BREAKS = {"p", "div", "li", "tr", "h1", "h2", "h4", "section", "details", "table", "figure", "pre", "ul"}


class _Text(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.parts, self.silent = [], 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in _SILENT
        if tag in _BREAKS:
            self.parts.append("\n")
        if tag == "td":
            self.parts.append(" | ")

    def handle_endtag(self, tag):
        self.silent -= tag in _SILENT

    def handle_data(self, data):
        if not self.silent:
            self.parts.append(data)


def page_text(folder):
    """The text of the report.html in ``folder``, a line for each paragraph, item or row of a table."""
    reader = _Text()
    reader.feed((folder / "report.html").read_text(encoding="utf-8"))
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)
