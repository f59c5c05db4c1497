"""The check of the documentation as a site, which `make docs` builds: it finds links that lead nowhere."""

import importlib.util

import pytest

from document_figures import ROOT


@pytest.fixture(scope="module")
def check_site():
    spec = importlib.util.spec_from_file_location("check_site", ROOT / "docs" / "check_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "a b.html").write_text(
        '<h1 id="top">A</h1><a href="docs/b.html#there">B</a> <a href="#top">A</a>'
    )
    (tmp_path / "docs" / "b.html").write_text('<p id="there"><a href="../a%20b.html"><img src="c.svg"></a>')
    (tmp_path / "docs" / "c.svg").write_text("<svg/>")
    return tmp_path


def test_links_that_lead_somewhere(check_site, site):
    assert check_site.broken(site) == []


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("docs/c.html", "no such file"),
        ("docs", "no such file"),
        ("docs/b.html#here", "no such place in that page"),
        ("#bottom", "no such place in that page"),
        ("../outside.html", "no such file"),
    ],
)
def test_links_that_lead_nowhere(check_site, site, link, fault):
    (site / "d.html").write_text(
        f'<a href="{link}">it</a> <a href="https://example.org/{link}">elsewhere</a>'
    )
    assert check_site.broken(site) == [f"d.html: {link}: {fault}"]
