"""How Sphinx makes the site: ``make docs``. Its source is the repository itself, as GitHub shows it.

So that a link such as ``../results/aa/report.md`` leads to the same thing here and there, and no page is kept
twice. README is the front page.
"""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "docs")]

import trimtab  # noqa: E402

project = "trimtab"
author = "trimtab developers"
copyright = f"2026, {author}"
version = release = trimtab.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "site_docstrings", "site_folders"]
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md", "results/**.md"]
# Tables are parts of reports.
exclude_patterns = ["docs/_build/**", "results/*/tables/**", "results/quickstart/**"]
root_doc = "README"

html_theme = "furo"
html_title = f"trimtab {release}"
html_copy_source = False
# No fonts, scripts or icons from elsewhere: the site can be read from a disk.
html_permalinks_icon = "#"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
toc_object_entries_show_parents = "hide"

# As GitHub makes them, for every heading.
myst_heading_anchors = 4
# Blocks are highlighted as what they say they are.
highlight_language = "text"

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
# What stands between single backticks in a docstring.
default_role = "code"

# The pages beside README, by their headings in the sidebar. A page that is missing here is a warning.
CONTENTS = {
    "Use": [
        *("first-study", "study-file", "running", "datasets"),
        *("report", "comparing", "predictions", "using-a-model"),
    ],
    "Methods": ["statistics", "windows", "rankings", "encoders", "pretraining", "performance"],
    "Results": ["results"],
    "In Python": ["notebook", "huggingface", "api", "plugins"],
    "At scale": ["clusters", "trackers", "faults", "doctor"],
    "Project": ["../CONTRIBUTING", "../CHANGELOG"],
}
# Pages of results/, by the page of docs/ that tells of them.
BELOW = {"results": "*/report", "performance": "bench/*", "statistics": "calibration/*"}


def _tree(pages: Iterable[str], caption: str = "") -> str:
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["", "", "```{toctree}", *options, "", *pages, "```", ""])


def _with_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Adds the site's contents, which the pages on GitHub do not need."""
    if page == root_doc:
        for caption, pages in CONTENTS.items():
            source[0] += _tree([str(Path("docs", each)).replace("docs/../", "") for each in pages], caption)
    elif pattern := BELOW.get(page.removeprefix("docs/")):
        found = sorted((ROOT / "results").glob(f"{pattern}.md"))
        source[0] += _tree(f"/{path.relative_to(ROOT).with_suffix('')}" for path in found)


def _as_index(app: Sphinx, error: Exception | None) -> None:
    """The front page also under the name that a folder is opened with."""
    if error is None and app.builder.format == "html":
        shutil.copy(Path(app.outdir) / "README.html", Path(app.outdir) / "index.html")


def setup(app: Sphinx) -> None:
    """Sphinx calls it."""
    app.connect("source-read", _with_contents)
    app.connect("build-finished", _as_index)
