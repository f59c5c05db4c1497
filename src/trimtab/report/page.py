"""The page: one report.md over the tables and figures of a study."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab.analysis.analysis import Analysis, TestSet, analyse, label_audit_rows
from trimtab.analysis.scores import score_name
from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.model.sizes import Architecture
from trimtab.report import figures
from trimtab.report.audit import length_table, weights_words
from trimtab.report.contrast_figures import seed_figure
from trimtab.report.contrast_section import contrast_section
from trimtab.report.epochs import curves_section
from trimtab.report.scale import notes, scale_named, scale_of
from trimtab.report.secondary import affected_section, checkpoint_section, cross_section, others_section
from trimtab.report.summary import recommendations, summary
from trimtab.report.tables import (
    Table,
    audit_table,
    of_single_texts,
    score_table,
    speed_table,
)
from trimtab.study.grid import place_words


@dataclass(frozen=True)
class Written:
    """The path of report.md, and what came out in a few plain lines."""

    path: Path
    summary: list[str]


def write(folder: str | Path) -> Written:
    """Write tables/, figures/ and report.md into a ledger's folder.

    Needs the ledger alone. InputError where the folder holds no results, or cannot be written.
    """
    folder = Path(folder)
    analysis = analyse(Ledger(folder))
    try:
        page = _Page(folder, analysis)
        with atomic_write(folder / "report.md") as temporary:
            temporary.write_text(page.text(), encoding="utf-8")
        page.remove_stale()
    except OSError as error:
        mend = "give it room and leave to write, or copy the folder and name the copy"
        raise InputError(f"{folder}: the report cannot be written ({error.strerror}); {mend}") from error
    several = len(analysis.tests) > 1
    lines = _judged_by(analysis.study)
    lines += [line.replace("**", "") for line in _recommended(analysis)]
    lines += [
        (f"{test.name}: " if several else "") + line.replace("**", "")
        for test in analysis.tests
        for line in summary(test)
    ]
    return Written(folder / "report.md", lines)


class _Page:
    def __init__(self, folder: Path, analysis: Analysis) -> None:
        self.folder, self.analysis, self.study = folder, analysis, analysis.study
        self.made: set[str] = set()

    def remove_stale(self) -> None:
        """Remove tables and figures of an earlier report that this one does not have."""
        for path in [*self.folder.glob("tables/*"), *self.folder.glob("figures/*")]:
            if path.stem not in self.made:
                path.unlink()

    def text(self) -> str:
        parts = [f"# {self.study['name']}", self.study["question"], *self._shortfalls()]
        parts += [*_judged_by(self.study), _bullets(_recommended(self.analysis))]
        parts += self._lengths()
        for test in self.analysis.tests:
            parts += self._test_set(test)
        parts += self._speed() if self.analysis.speeds else []
        weights = {variant.get("recipe", {}).get("class_weights") for variant in self.study["variants"]}
        weighted = "balanced" in weights
        parts += curves_section(self.analysis, self._table, self._figure, weighted=weighted)
        parts += ["## What is cut", self._audit_words(), self._audit_figure()]
        single = of_single_texts(self.study.get("profiles", {}))
        parts.append(self._table(audit_table(self.analysis.audits, single=single)))
        by_label = audit_table(label_audit_rows(self.study["variants"]), "audit-by-label", single=single)
        parts += ["By label, on the test sets:", self._table(by_label)]
        parts += ["## How it was run", *self._signature()]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _shortfalls(self) -> list[str]:
        """What is missing, first: a reader must know it before any figure."""
        lines = [
            f"* failed: {row['name']}, seed {row['seed']}: {row['reason']}" for row in self.analysis.failures
        ]
        missing = [row for row in self.analysis.missing if row["status"] == "missing"]
        lines += [f"* not run: {row['name']}, seed {row['seed']}" for row in missing]
        if not lines:
            return []
        return [
            f"**Missing: {len(lines)} of the trials.** Variants without any trial are left out. Each mean "
            "stands on the seeds that its variant has finished, each contrast on those that both of its "
            "variants have.",
            "\n".join(lines),
        ]

    def _lengths(self) -> list[str]:
        rows = self.study.get("lengths")
        if not rows:  # as in a ledger of an earlier version
            return []
        longest = max(rows, key=lambda row: row["longest"])
        words = (
            f"In tokens, special ones included, before any cut: the longest row has {longest['longest']:,} "
            f"({longest['split']})."
        )
        return ["## How long the rows are", words, self._table(length_table(rows))]

    def _test_set(self, test: TestSet) -> list[str]:
        scale = scale_of(test)
        parts = [f"## {scale.title} on {test.name}", _bullets(summary(test)), self._table(score_table(test))]
        if any(row["ceiling"] is not None for row in test.means):
            parts.append(
                "The ceiling is the best that a reader could do on average after the cut. A mean is called "
                "above it where a one-sided test, unadjusted, gives p < 0.01."
            )
        parts.append(_prior_baseline(test))
        figure = figures.score_figure(test)
        parts.append(self._figure(figure, f"{test.score}-{test.name}", f"{scale.title} over max_len"))
        parts.append(self._figure(seed_figure(test), f"seeds-{test.name}", f"Each seed's {scale.name}"))
        parts += contrast_section(test, self.analysis, self._table, self._figure)
        parts += checkpoint_section(test, self._table)
        parts += affected_section(test, self.study["compare"], self._table)
        parts += cross_section(test, self.study["compare"], self._table)
        return parts + others_section(test, self.study["compare"], self._table)

    def _speed(self) -> list[str]:
        threads = f"threads a trial: {self.study['runtime']['threads']}"
        parts = [
            "## Throughput and memory",
            f"Of training alone, on {self.analysis.speeds[0]['machine']}, {threads}; tokens are real ones. "
            "Trials may have run side by side, so compare within this table only.",
            self._table(speed_table(self.analysis.speeds)),
        ]
        for test in self.analysis.tests:
            figure = figures.throughput_figure(test, self.analysis.speeds)
            words = f"{scale_of(test).title} against throughput"
            parts.append(self._figure(figure, f"throughput-{test.name}", words))
        return parts

    def _audit_words(self) -> str:
        hardly = [v["name"] for v in self.study["variants"] if v["hardly_cut"]]
        words = "Tokens lost are over all rows, uncut ones included."
        if hardly:
            words += (
                " Fewer than 1 % of rows are cut, so that hardly any difference can be expected, by: "
                + "; ".join(hardly)
                + "."
            )
        return words

    def _audit_figure(self) -> str:
        if "profiles" not in self.study:  # as in a ledger of an earlier version
            return ""
        figure = figures.audit_figure(self.study["profiles"])
        return self._figure(figure, "audit", "Lengths of texts, and what is cut at any max_len")

    def _signature(self) -> list[str]:
        study, runtime = self.study, self.study["runtime"]
        lines = [
            f"* data: {counts['split']}: {counts['source']}, {counts['rows']:,} rows"
            + (f", {counts['repeated']:,} of them in train, too" if counts.get("repeated") else "")
            + (f", {counts['dropped']:,} left out" if counts["dropped"] else "")
            for counts in study["counts"]
        ]
        lines += [
            f"* excluded: {place_words(entry['place'])}: {entry['because']}" for entry in study["excluded"]
        ]
        lines += [
            f"* labels: {', '.join(study['labels'])}; {_vocabulary_words(study)}",
            *(f"* {words}" for words in _started_from(study["variants"])),
            f"* device: {runtime['device']}; measured precision: {_precision_words(runtime)}",
            *(f"* trained with: {_words(signature)}" for signature in self.analysis.signatures),
        ]
        return ["\n".join(lines), "```toml\n" + study["text"].strip() + "\n```"]

    def _table(self, table: Table) -> str:
        self.made.add(table.name)
        table.write(self.folder / "tables")
        return table.markdown()

    def _figure(self, figure: Any, name: str, words: str) -> str:
        self.made.add(name)
        figures.save(figure, self.folder / "figures", name)
        return f"![{words}](figures/{name}.png)"


def _recommended(analysis: Analysis) -> list[str]:
    return recommendations(analysis.tests, analysis.study["compare"])


def _judged_by(study: dict[str, Any]) -> list[str]:
    """What models are judged by, where it is not accuracy, and what a reader must know of it."""
    name = score_name(study["compare"])
    if name == "accuracy":
        return []
    scale = scale_named(name)
    return [f"Judged by {scale.name}. {notes([scale])}".strip()]


def _words(signature: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in signature.items())


def _vocabulary_words(study: dict[str, Any]) -> str:
    several = study.get("vocabularies", {})  # not in the ledger of an earlier version
    if len(several) < 2:
        return f"vocabulary: {study['vocabulary']:,} tokens"
    return "vocabularies: " + ", ".join(f"{name} {number:,} tokens" for name, number in several.items())


def _started_from(variants: list[dict[str, Any]]) -> list[str]:
    """A line for each set of pretrained weights."""
    lines = []
    for row in variants:
        if row.get("weights"):
            size = Architecture(**row["size"])
            lines.append(weights_words(row["weights"]["name"], size, row["weights"]["fingerprint"]))
    return list(dict.fromkeys(lines))


def _precision_words(runtime: dict[str, Any]) -> str:
    return (
        "; ".join(f"{value} for {kind}" for kind, value in runtime["precision"].items())
        or "none, all were chosen"
    )


def _prior_baseline(test: TestSet) -> str:
    """What there is to have without any text, and whether any variant is shown to have more."""
    if test.prior_baseline is None:
        return ""
    scale = scale_of(test)
    words = (
        f"One who reads nothing and knows the labels' shares of this test set alone has {scale.name} of "
        f"{scale.level_with_unit(test.prior_baseline)} at best."
    )
    # Without variation between seeds and rows the mean is all there is; with one seed nothing is shown.
    lows = [row["mean"] if row["se"] == 0 else row["ci_low"] for row in test.means]
    known = [low for low in lows if not math.isnan(low)]
    if known and max(known) <= test.prior_baseline:
        return f"{words} **No variant is shown to do better: no interval, unadjusted, lies above that.**"
    return words


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"* {line}" for line in lines)
