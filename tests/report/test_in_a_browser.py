"""report.html in a real browser: what it shows, what its controls change, and that nothing else happens."""

import re

import numpy as np
import pytest

from browser import as_device, browser, needs_browser, requests
from page_text import page_text
from trimtab import report
from trimtab.ledger.records import CutRecord, RowRecord, RowsRecord

WebDriverWait = pytest.importorskip(
    "selenium.webdriver.support.wait", reason="needs selenium; `make .venv/develop` installs it"
).WebDriverWait
pytestmark = [pytest.mark.integration, needs_browser]

HOSTILE = '<script>window.ran = 1</script><img src="x" onerror="window.ran = 2">'


@pytest.fixture(scope="module")
def driver():
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def written(tmp_path_factory, handmade):
    """A study of four variants on two test sets, whose texts and names would like to run."""
    rng = np.random.default_rng(5)
    rates = np.array([0.6, 0.62, 0.9, 0.7])[:, None, None]
    scores = {name: rng.random((4, 5, rows)) < rates for name, rows in (("one", 1200), ("two", 300))}
    folder = tmp_path_factory.mktemp("study") / "made"
    ledger = handmade.write(folder, scores, margin=0.005)
    study = ledger.study
    variants = list(study.variants)
    variants[1] = variants[1].model_copy(update={"name": HOSTILE})
    study = study.model_copy(update={"question": f"Who runs? {HOSTILE} \u202e", "variants": tuple(variants)})
    text = f"{HOSTILE} {'w' * 10_000} ../.. \u202eabc"
    cut = CutRecord(variants=(0, 1), kept=(((0, 9),),))
    rows = RowsRecord(tests={"one": (RowRecord(row=3, texts=(text,), cuts=(cut,)),)})
    ledger.write_study(study, {name: ledger.evaluated(name) for name in scores}, rows)
    report.write(folder)
    return folder


@pytest.fixture
def page(written, driver):
    """The same, opened in a window of 1,400 pixels."""
    as_device(driver, 1400)
    driver.get("about:blank")
    requests(driver)  # those of the page that a browser opens with
    opened(driver, written)
    return written


def opened(driver, folder):
    """Open the page in ``folder``, and wait for it: a busy machine's driver returns before all of it ran."""
    driver.get((folder / "report.html").as_uri())
    ready = "return document.readyState === 'complete' && typeof DATA === 'object'"
    WebDriverWait(driver, 20).until(lambda one: one.execute_script(ready))


def texts(driver, selector):
    return driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])]"
        ".filter((each) => each.checkVisibility()).map((each) => each.textContent.trim())",
        selector,
    )


def choose(driver, control, value):
    """Choose a value as a reader does, once the control offers it."""
    script = """
        const [control, value] = arguments;
        const element = [...document.querySelectorAll(`[data-control='${control}']`)]
          .find((each) => each.checkVisibility());
        if (!element) return false;
        element.value = value;
        if (element.tagName === "SELECT" && element.value !== value) return false;
        element.dispatchEvent(new Event("input", { bubbles: true }));
        return true;
    """
    WebDriverWait(driver, 10).until(lambda one: one.execute_script(script, control, value))


def test_nothing_runs_and_nothing_is_asked_for(page, driver):
    assert driver.execute_script("return window.ran === undefined")
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
    asked = [address for address in requests(driver) if not address.startswith("data:")]
    assert set(asked) <= {(page / "report.html").as_uri()}
    assert HOSTILE in page_text(page)
    assert HOSTILE in texts(driver, ".question")[0]
    [row] = texts(driver, "article.row .cut p")
    assert HOSTILE in row
    assert "w" * 10_000 in row


def test_the_answer_comes_first(page, driver):
    [card] = texts(driver, "section.answer")
    assert card.startswith("Take")
    assert "t2, max_len 8" in card
    places = driver.execute_script(
        "return ['.answer', '.part.scores', '.part.contrasts'].map("
        "(each) => document.querySelector(each).getBoundingClientRect().top)"
    )
    assert places == sorted(places)


def test_the_test_set_is_chosen(page, driver):
    assert any("Accuracy on one" in text for text in texts(driver, "h2"))
    choose(driver, "test", "two")
    try:
        assert any("Accuracy on two" in text for text in texts(driver, "h2"))
        assert not any("Accuracy on one" in text for text in texts(driver, "h2"))
    finally:
        choose(driver, "test", "one")


def test_the_score_is_chosen(page, driver):
    before = texts(driver, ".part.scores td")
    choose(driver, "score", "brier")
    try:
        after = texts(driver, ".part.scores td")
        assert after != before
        assert any(re.fullmatch(r"-0\.\d{4}", text) for text in after)
    finally:
        choose(driver, "score", "accuracy")
    assert texts(driver, ".part.scores td") == before


def test_the_slider_changes_verdicts_and_says_so(page, driver):
    before, heads = texts(driver, ".part.contrasts td"), texts(driver, ".part.contrasts th")
    place = heads.index("verdict")
    assert before[place :: len(heads)][0] == "inconclusive"
    choose(driver, "margin", "99")  # the largest
    try:
        assert texts(driver, ".part.contrasts td")[place :: len(heads)][0] == "equivalent"
        assert any("recomputed" in text for text in texts(driver, ".part.contrasts .said"))
    finally:
        choose(driver, "margin", str(driver.execute_script("return DATA.tests.one.views[0].margin")))
    assert texts(driver, ".part.contrasts td") == before


def test_the_baseline_is_chosen(page, driver):
    choose(driver, "baseline", "2")
    try:
        heads = texts(driver, ".part.contrasts th")
        against = texts(driver, ".part.contrasts td")[heads.index("against") :: len(heads)]
        assert set(against) == {"t2, max_len 8"}
        assert any("not declared" in text for text in texts(driver, ".part.contrasts .said"))
    finally:
        choose(driver, "baseline", "declared")


def test_what_things_cost_is_chosen(page, driver):
    choose(driver, "against", "seconds")
    try:
        assert any("seconds of training" in text for text in texts(driver, ".part.scores svg text"))
    finally:
        choose(driver, "against", "tokens")


def test_every_table_sorts_filters_and_is_copied(page, driver):
    driver.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = driver.execute_script(
        """
        const faults = [];
        let number = 0;
        for (const box of document.querySelectorAll(".table")) {
          if (!box.checkVisibility()) continue;
          number++;
          const table = box.querySelector("table"), body = () => [...table.tBodies[0].rows];
          const before = body().map((row) => row.textContent).sort();
          for (const head of table.querySelectorAll("th")) {
            const column = head.cellIndex;
            for (const way of ["ascending", "descending"]) {
              head.click();
              if (head.getAttribute("aria-sort") !== way) faults.push([box.dataset.table, "way"]);
              const known = body().map((row) => row.cells[column].dataset.n).filter((n) => n !== undefined);
              const numbers = known.map(Number);
              const sorted = [...numbers].sort((a, b) => way === "ascending" ? a - b : b - a);
              if (String(numbers) !== String(sorted)) faults.push([box.dataset.table, column, way]);
            }
          }
          const after = body().map((row) => row.textContent).sort();
          if (String(after) !== String(before)) faults.push([box.dataset.table, "rows"]);
          const input = box.querySelector("input");
          input.value = "no row has this";
          input.dispatchEvent(new Event("input"));
          if (body().some((row) => !row.hidden)) faults.push([box.dataset.table, "filter"]);
          input.value = "";
          input.dispatchEvent(new Event("input"));
          if (body().some((row) => row.hidden)) faults.push([box.dataset.table, "unfilter"]);
          const lines = written(table, "csv").trim().split("\\n").length;
          if (lines < body().length + 1) faults.push([box.dataset.table, "csv"]);
          if (!written(table, "markdown").includes("| --- |")) faults.push([box.dataset.table, "markdown"]);
        }
        return [number, faults];
        """
    )
    driver.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = false; })")
    assert found[0] >= 10
    assert found[1] == []


def test_marks_explain_themselves(page, driver):
    point = "document.querySelector('.part.scores .point')"
    driver.execute_script(f"{point}.dispatchEvent(new PointerEvent('pointerenter'))")
    tip = texts(driver, "#tip")[0]
    assert "seed 0:" in tip
    assert "tokens a training row" in tip
    label = driver.execute_script(
        "return document.querySelector('.part.scores .point').getAttribute('aria-label')"
    )
    assert "seed 4:" in label


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits(page, driver, width, dark):
    as_device(driver, width, dark=dark)
    try:
        wide = driver.execute_script(
            "return new Promise((done) => setTimeout(() => done(document.documentElement.scrollWidth), 300))"
        )
        ground = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        ink = driver.execute_script("return getComputedStyle(document.body).color")
    finally:
        as_device(driver, 1400)
    assert wide <= width
    ground, ink = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ground, ink))
    assert (ground < ink) is dark
    assert abs(ground - ink) > 400


def test_it_prints(page, driver):
    import base64

    printed = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert printed.startswith(b"%PDF")
    assert len(printed) > 20_000


def test_a_study_that_is_half_done_and_one_without_a_trial(tmp_path, handmade, scores, driver):
    every = [(variant, seed) for variant in range(3) for seed in range(4)]
    for name, options in (
        ("half", {"missing": every[5:10], "failed": [(0, 0)]}),
        ("none", {"missing": every}),
        ("one", {}),
    ):
        some = scores[:1, :1] if name == "one" else scores
        handmade.write(tmp_path / name, {"test": some}, **options)
        report.write(tmp_path / name)
        opened(driver, tmp_path / name)
        assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == [], name
        assert texts(driver, "h1") == ["made"]
