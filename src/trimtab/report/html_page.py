"""report.html: the sections as one self-contained page, with charts that answer to its selectors.

Nothing that comes from a data set or a study can run in it or change it: Jinja escapes every text, Markdown
is read without HTML, the data of the charts is JSON in which no tag can begin, and the page's own policy lets
no script run but the one whose hash it names, and no request leave.
"""

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from numbers import Real
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.analysis.shown_rows import Said, ShownCut, ShownRow
from trimtab.data.target import as_words
from trimtab.report.answer_words import answer_words
from trimtab.report.blocks import (
    Block,
    ChartBlock,
    FigureBlock,
    RowsBlock,
    Section,
    TableBlock,
)
from trimtab.report.charts import chart_data, own_words
from trimtab.report.look_words import planned_words, unplanned_words
from trimtab.report.markdown import judged_by, shortfalls
from trimtab.report.scale import scale_named
from trimtab.report.shortest_words import shortest_words
from trimtab.report.tables import Column

_SCRIPTS = ("drawing.js", "charts.js", "tables.js", "page.js")
_LARGEST = 400_000  # bytes of a figure that a page holds; larger ones are named


def html_page(analysis: Analysis, sections: Sequence[Section], figures: Path) -> str:
    """The page; ``figures``: the folder in which the figures of the sections were written."""
    study, script = analysis.study, _asset(*_SCRIPTS)
    environment = Environment(
        loader=DictLoader({"page": _asset("page.html.jinja")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page").render(
        name=study.name,
        question=study.question,
        state=_state(analysis),
        shortfall=_shortfall(analysis),
        tests=[test.name for test in analysis.tests] if len(analysis.tests) > 1 else [],
        scores=_scores(analysis),
        own=own_words(study),
        cards=[_card(analysis, place) for place in range(len(analysis.tests))],
        sections=[_section(place, section, figures) for place, section in enumerate(sections)],
        made_by=_made_by(analysis),
        style=Markup(_asset("page.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=Markup(_embedded(chart_data(analysis))),
    )


@cache
def _asset(*names: str) -> str:
    folder = files("trimtab.report") / "assets"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _embedded(value: Any) -> str:
    """JSON that may stand in a script element: no tag, comment or line of another kind can begin in it."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).disable(["image", "autolink"])


def _marked(markdown: str) -> Markup:
    return Markup(_reader().render(markdown))


def _inline(markdown: str) -> Markup:
    return Markup(_reader().renderInline(markdown))


def _state(analysis: Analysis) -> str:
    study, finished = analysis.study, len(analysis.trials) - len(analysis.missing) - len(analysis.stopped)
    rows = "; ".join(f"{test.name}: {_size(test)}" for test in analysis.tests)
    variants, seeds = len(study.variants), len(study.seeds)
    parts = [f"{finished:,} of {len(analysis.trials):,} trials finished"] if analysis.trials else []
    if analysis.stopped:
        parts[0] += f", {len(analysis.stopped):,} not needed"
    parts.append(f"{variants:,} variant{'s' * (variants > 1)} · {seeds} seed{'s' * (seeds > 1)}")
    return " · ".join([*parts, rows] if rows else parts)


def _size(test: SetAnalysis) -> str:
    return f"{test.examples:,} rows" if test.queries is None else test.size


def _shortfall(analysis: Analysis) -> Markup:
    missing = Markup()
    if analysis.missing:
        words, trials = map(_marked, shortfalls(analysis))
        folded = '<div class="missing">{}<details><summary>Which trials</summary>{}</details></div>'
        missing = Markup(folded).format(words, trials)
    said = [*judged_by(analysis), unplanned_words(analysis), planned_words(analysis)]
    return missing + Markup().join(_marked(part) for part in said if part)


def _scores(analysis: Analysis) -> list[dict[str, str]]:
    if not analysis.tests:
        return []
    views = analysis.tests[0].views
    return [{"key": view.score, "title": scale_named(view.score).title} for view in views]


def _card(analysis: Analysis, place: int) -> dict[str, Any]:
    test = analysis.tests[place]
    words = answer_words(test, analysis)
    return {
        "test": test.name,
        "kind": words.kind,
        "title": words.title,
        "verdict": _inline(_sentence(words.verdict)),
        "lengths": [_inline(line) for line in shortest_words(test, analysis.study)],
        "savings": _inline(words.savings),
        "why": _inline(words.why),
        "settle": _inline(words.settle),
        "command": words.command,
    }


def _sentence(words: str) -> str:
    """Words that follow a colon elsewhere, as a sentence of their own."""
    return words[0].upper() + words[1:]


def _made_by(analysis: Analysis) -> str:
    versions = ", ".join(dict.fromkeys(f"{one.trimtab} ({one.commit})" for one in analysis.signatures))
    machines = ", ".join(dict.fromkeys(row.machine for row in analysis.speeds))
    return f"Made by trimtab {versions}".strip() + (f"; trained on {machines}." if machines else ".")


def _section(place: int, section: Section, figures: Path) -> dict[str, Any]:
    return {
        "id": f"part-{place}",
        "key": section.key,
        "title": section.title,
        "test": section.test,
        "folded": section.folded,
        "blocks": [_block(block, figures) for block in section.blocks if block],
    }


def _block(block: Block, figures: Path) -> dict[str, Any]:
    if isinstance(block, TableBlock):
        return _table(block)
    if isinstance(block, FigureBlock):
        source = _source(figures, block.name)
        return {"kind": "figure", "words": block.words, "source": source, "path": f"figures/{block.name}.svg"}
    if isinstance(block, ChartBlock):
        return {"kind": "chart", "chart": block.kind, "words": block.words}
    if isinstance(block, RowsBlock):
        return {"kind": "rows", "rows": [_row(row, block.labels) for row in block.rows]}
    return {"kind": "words", "html": _marked(block)}


def _table(block: TableBlock) -> dict[str, Any]:
    table = block.table
    rows = [
        [
            {"text": cell, "number": _number(column, row)}
            for cell, column in zip(cells, table.columns, strict=True)
        ]
        for cells, row in zip(table.cells, table.shown, strict=True)
    ]
    return {
        "kind": "table",
        "name": table.name,
        "left_out": table.left_out,
        "heads": [
            {"text": head, "numeric": any(row[place]["number"] is not None for row in rows)}
            for place, head in enumerate(table.heads)
        ],
        "rows": rows,
    }


def _number(column: Column[Any], row: Any) -> str | None:
    """What a column is sorted by: its first raw value, where that is a finite number."""
    value = next(iter(column.raw.values()))(row) if column.raw else None
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        return None
    return f"{float(value):.10g}"


def _source(figures: Path, name: str) -> str | None:
    """A figure as a data address; None where it is too large, or not there."""
    path = figures / f"{name}.svg"
    if not path.exists() or not 0 < path.stat().st_size <= _LARGEST:
        return None
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _row(row: ShownRow, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "row": f"{row.row:,}",
        "label": as_words(row.label, labels),
        "cuts": [{"names": _names(cut, labels), "sides": _sides(row.texts, cut)} for cut in row.cuts],
    }


def _names(cut: ShownCut, labels: tuple[str, ...]) -> list[dict[str, str]]:
    said = {one.variant.number: one for one in cut.said}
    return [{"name": variant.name} | _said(said.get(variant.number), labels) for variant in cut.variants]


def _said(said: Said | None, labels: tuple[str, ...]) -> dict[str, str]:
    if said is None:
        return {"words": "", "class": ""}
    if said.output is not None:
        return {"words": f"gives {said.output:.3f}", "class": "split"}
    kind = "right" if said.right == said.seeds else "wrong" if not said.right else "split"
    seeds = f"{said.right} of {said.seeds} seeds right" if said.seeds > 1 else kind
    return {"words": f"{seeds}, says {labels[said.label]}", "class": kind}


def _sides(texts: Sequence[str], cut: ShownCut) -> list[list[dict[str, Any]]] | None:
    if cut.kept is None:
        return None
    return [_pieces(text, kept) for text, kept in zip(texts, cut.kept, strict=True)]


def _pieces(text: str, kept: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """A text in pieces that are kept or cut."""
    found, place = [], 0
    for start, end in kept:
        found += [{"text": text[place:start], "kept": False}, {"text": text[start:end], "kept": True}]
        place = end
    found.append({"text": text[place:], "kept": False})
    return [piece for piece in found if piece["text"]]
