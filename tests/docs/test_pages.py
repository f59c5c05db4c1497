"""Pages of the documents: links lead somewhere, and what they say of a study's keys is so."""

import ast
import re
from dataclasses import fields

import pytest

from document_blocks import documents, text_of
from document_figures import ROOT
from trimtab import __version__
from trimtab.study.compare_section import Compare
from trimtab.study.settings import known_keys
from trimtab.training.recipe import Recipe

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_KEY = re.compile(r"^\| `(\w+)` \| ([^|]*) \|", re.MULTILINE)


_CHANGE = re.compile(r"^\| (?!to change|---)[^|]+\| ([^|]+) \| `(tests/[^|`]+)` \|$", re.MULTILINE)


def anchor(heading):
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", documents())
def test_links_lead_somewhere(document):
    for link in _LINK.findall(text_of(document)):
        if link.startswith("http"):
            continue
        name, _, place = link.partition("#")
        path = (ROOT / document).parent / name if name else ROOT / document
        assert path.exists(), f"{document}: {link}"
        if place:
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            assert place in map(anchor, headings), f"{document}: {link}"


def test_the_table_of_changes_names_files_that_there_are():
    rows = _CHANGE.findall(text_of("CONTRIBUTING.md"))
    assert len(rows) > 20
    for files, test in rows:
        named = re.findall(r"`([\w/]+\.py)`", files)
        assert 1 <= len(named) <= 4, files
        for name in [*named, test]:
            assert (ROOT / name).is_file() or (ROOT / "src" / "trimtab" / name).is_file(), name


def test_the_house_in_words_is_the_house():
    """The floors of CONTRIBUTING are those that tests/test_house.py holds imports to."""
    tree = ast.parse((ROOT / "tests" / "test_house.py").read_text())
    (floors,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "FLOORS"
    )
    told = re.findall(r"^\| \d+ \| ([^|]+) \|", text_of("CONTRIBUTING.md"), re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", cell)) for cell in told] == [
        floor for floor in floors if floor != {""}
    ]


def test_the_citation_is_of_this_version():
    """And both are the first of the changelog, with its date."""
    version, date = re.search(r"^## \[(.+)\] - (.+)$", text_of("CHANGELOG.md"), re.MULTILINE).groups()
    assert version == __version__
    assert f"version: {version}\ndate-released: {date}\n" in text_of("CITATION.cff")


def test_readme_is_a_front_door():
    assert len(text_of("README.md").splitlines()) <= 200


def documented(section):
    """Key and cell of type and default, of the tables under a heading of docs/study-file.md."""
    text = text_of("docs/study-file.md")
    start = text.index(f"\n## {section}\n")
    end = text.find("\n## ", start + 4)
    return dict(_KEY.findall(text[start : end if end > 0 else None]))


def test_every_key_of_base_and_grid_is_documented():
    assert {*documented("[base] and [grid]"), "replica"} == set(known_keys())
    assert set(documented("In [grid] only")) == {"seeds", "replica"}


def test_every_key_of_compare_is_documented():
    assert set(documented("[compare]")) == set(Compare.model_fields)


@pytest.mark.parametrize("field", fields(Recipe), ids=lambda field: field.name)
def test_defaults_of_the_recipe(field):
    cell = documented("[base] and [grid]")[field.name]
    default = cell.rsplit(", ", 1)[1].strip("`")
    expected = {"micro_batch": "none", "learning_rate": "1e-4"}.get(field.name, str(field.default))
    assert default == expected, cell
    if field.name == "learning_rate":
        assert field.default == 1e-4


def test_defaults_of_compare():
    cells = documented("[compare]")
    for key in ("score", "alpha", "exploratory", "cross"):
        default = cells[key].rsplit(", ", 1)[1].strip("`")
        assert default == str(Compare.model_fields[key].default).replace("False", "false"), cells[key]
    assert f"`{Compare.model_fields['margin'].default}`" in cells["margin"]
