"""An extension of Sphinx: a link to a folder of the repository leads to a page that lists its files.

As on GitHub; MyST knows links to pages and files alone. The files are copied beside the list.
"""

import html
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

_KEY = "linked folders"
_NOT_KEPT = {"__pycache__", ".DS_Store"}


def _mark(app: Sphinx, tree: nodes.document) -> None:
    """Points links to folders at their lists, before MyST looks for pages of that name."""
    page = app.env.current_document.docname
    beside = (Path(app.srcdir) / page).parent
    linked = set()
    for link in list(tree.findall(pending_xref)):
        target = str(link["reftarget"]).rstrip("/")
        if link["reftype"] != "myst" or not target or not (beside / target).is_dir():
            continue
        linked.add((beside / target).resolve().relative_to(Path(app.srcdir).resolve()).as_posix())
        # The site has the folders of the repository, so that a relative path is the same in both.
        link.replace_self(
            nodes.reference("", "", *link.children, refuri=f"{target}/index.html", internal=True)
        )
    app.env.metadata[page][_KEY] = sorted(linked)


def _lists(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each folder, after its files have been copied."""
    for folder in sorted({folder for page in app.env.metadata.values() for folder in page.get(_KEY, ())}):
        source = Path(app.srcdir) / folder
        files = sorted(path.relative_to(source) for path in source.rglob("*") if _is_kept(path))
        for file in files:
            copy = Path(app.outdir) / folder / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / file, copy)
        names = (html.escape(file.as_posix()) for file in files)
        links = "".join(f'<li><p><a href="{name}">{name}</a></p></li>' for name in names)
        body = f"<h1>{html.escape(folder)}</h1><ul>{links}</ul>"
        yield f"{folder}/index", {"title": folder, "body": body}, "page.html"


def _is_kept(path: Path) -> bool:
    parts = path.parts
    return (
        path.is_file() and not _NOT_KEPT & {*parts} and not any(part.endswith(".egg-info") for part in parts)
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx calls it."""
    app.connect("doctree-read", _mark)
    app.connect("html-collect-pages", _lists)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
