"""Spec strings: the canonical one, what is refused in which words, and strategies of other packages."""

import pickle
import re
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.ragged import Ragged, ranges
from trimtab.truncation import Strategy, describe, parse, registry
from trimtab.truncation.context import document_frequencies
from trimtab.truncation.options import Option, options_of


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("longest_first", "longest_first"),
        (" longest_first ( tie = bert ) + head / head ", "longest_first"),
        ("longest_first(tie='hf_fast')", "longest_first(tie=hf_fast)"),
        ("ratio(minimum=1)+head_tail(head=0.25)/tail", "ratio+head_tail/tail"),
        ("ratio(minimum=2)+tail/tail", "ratio(minimum=2)+tail"),
        ("only_first+tail/head", "only_first+tail/head"),
        ("only_second(otherwise=longest_first)+head/tail", "only_second(otherwise=longest_first)+head/tail"),
        ("ratio+head_tail(head=1)", "ratio+head_tail(head=1.0)"),
        ("ratio+head_tail(head=-0.0)", "ratio+head_tail(head=0.0)"),
        ("ratio+head_tail(head=1e-5)", "ratio+head_tail(head=1e-05)"),
        ("ratio+head_tail(head=2.5e-1)", "ratio+head_tail"),
        ("ratio+head_tail(head=1e+0)", "ratio+head_tail(head=1.0)"),
        ("fixed(first=0.7)+random(seed=0)/middle", "fixed+random/middle"),
        ("first_priority", "first_priority"),
        ("capped(second=448, first=64)", "capped(first=64, second=448)"),
        ("capped(first=none, second=9, otherwise=longest_first(tie=bert))", "capped(second=9)"),
        (
            "capped(first=6, otherwise='ratio(minimum=2)')+tail",
            "capped(first=6, otherwise=ratio(minimum=2))+tail",
        ),
    ],
)
def test_canonical_and_round_trip(text, canonical):
    truncation = parse(text)
    assert str(truncation) == canonical
    assert parse(canonical) == parse(truncation.resolved) == truncation
    assert hash(parse(canonical)) == hash(truncation)
    assert pickle.loads(pickle.dumps(truncation)) == truncation
    assert not truncation.content_dependent
    assert not truncation.needs_fit


def test_resolved_says_every_option():
    assert parse("ratio+tail/head_tail").resolved == "ratio(minimum=1)+tail/head_tail(head=0.25)"
    assert parse("longest_first").resolved == "longest_first(tie=bert)+head/head"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("longest_frist+tail", "no split is called 'longest_frist'; did you mean 'longest_first'?"),
        ("ratio+tial", "no selection is called 'tial'; did you mean 'tail'?"),
        ("ratio+x", "no selection is called 'x'; known: head, head_tail, middle, random, salient, tail"),
        ("tail", "'tail' is a selection, not a split: write for example longest_first+tail"),
        ("ratio+ratio", "'ratio' is a split, not a selection: it goes first, before '+'"),
        ("capped(first=-1)", "first must be a whole number from 0 to 1073741824, or none, not -1"),
        ("capped(otherwise=7)", "otherwise must be a split such as longest_first, not 7"),
        ("capped(otherwise=ratio(minimun=2))", "ratio has no option 'minimun'; did you mean 'minimum'?"),
        (
            "capped(otherwise=ratio+tail)",
            "capped takes a split alone, not 'ratio+tail'; selections stand after its brackets",
        ),
        ("longest_first(tie=brt)", "tie cannot be 'brt'; did you mean 'bert'?"),
        ("longest_first(tie=3)", "tie cannot be 3; known: bert, hf_fast, tf_text"),
        ("longest_first(ties=bert)", "longest_first has no option 'ties'; did you mean 'tie'?"),
        ("only_first(otherwise=longest)", "otherwise cannot be 'longest'; did you mean 'longest_first'?"),
        ("ratio+head(share=1)", "head takes no options, so not 'share'"),
        ("ratio(minimum=-1)", "minimum must be a whole number from 0 to 2147483647, not -1"),
        ("ratio(minimum=1.0)", "minimum must be a whole number from 0 to 2147483647, not 1.0"),
        ("ratio(minimum=true)", "minimum must be a whole number from 0 to 2147483647, not True"),
        ("ratio(minimum=few)", "minimum must be a whole number from 0 to 2147483647, not 'few'"),
        ("ratio+head_tail(head=1.5)", "head must be a number from 0 to 1, not 1.5"),
        ("ratio+head_tail(head=half)", "head must be a number from 0 to 1, not 'half'"),
        ("ratio+head_tail(head=nan)", "head must be a number from 0 to 1, not 'nan'"),
        ("ratio+head_tail(head=1e999)", "head must be a number from 0 to 1, not inf"),
        ("fixed(first=70)", "first must be a number from 0 to 1, not 70"),
        ("ratio+random(seed=-1)", "seed must be a whole number from 0 to 2147483647, not -1"),
        ("ratio+middle(seed=1)", "middle takes no options, so not 'seed'"),
    ],
)
def test_refused_in_one_sentence(text, message):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert str(caught.value) == f"truncation {text!r}: {message}"


def test_a_fault_of_form_has_its_place():
    with pytest.raises(InputError) as caught:
        parse("ratio(minimum=1+tail")
    assert str(caught.value).splitlines() == [
        "truncation 'ratio(minimum=1+tail': this '(' is never closed; add a ')'",
        "  ratio(minimum=1+tail",
        "       ^",
    ]


@pytest.mark.parametrize("value", [None, 3, ["ratio"]])
def test_refuses_what_is_no_string(value):
    with pytest.raises(InputError, match="a truncation is a spec string such as 'longest_first\\+tail', not"):
        parse(value)


def test_describe_lists_ours():
    rows = {row["name"]: row for row in describe()}
    assert list(rows) == [*registry.SPLITS, *registry.SELECTIONS]
    assert rows["longest_first"]["options"] == "tie=bert|hf_fast|tf_text"
    assert rows["head_tail"]["options"] == "head=0.25"
    assert rows["head"] == {
        "kind": "selection",
        "name": "head",
        "options": "",
        "meaning": "Keeps the start of each text.",
    }
    assert all(row["meaning"].endswith(".") and len(row["meaning"]) < 110 for row in rows.values())


# What another package might register.
def halves(a, b, budget, *, generous=False, shift=0, label="x"):
    """Gives each side half of the budget; if generous cuts nothing, and a shift is a mistake."""
    kept = np.minimum(a + b, budget)
    first = np.minimum(a, np.maximum(kept // 2, kept - b)) + shift
    return (a, b) if generous else (first, kept - first)


def rarest(side, keep, context):
    """Keeps the tokens that stand in the fewest texts."""
    indices = []
    for row in range(len(side)):
        places = np.arange(side.offsets[row], side.offsets[row + 1])
        order = np.argsort(context.document_frequencies[side.values[places]], kind="stable")
        indices.append(np.sort(places[order[: keep[row]]]))
    return np.concatenate(indices)


def nothing(side, keep, context):
    """Keeps nothing, whatever it is asked for."""
    return np.empty(0, np.int64)


def by_side(side, keep, context):
    """Keeps the start of the first text and the end of the second."""
    return ranges(side.offsets[1:] - keep if context.side else side.offsets[:-1], keep)


def backwards(side, keep, context):
    """Keeps the start of each text, its last token first."""
    return np.concatenate([np.arange(n)[::-1] + at for at, n in zip(side.offsets, keep, strict=False)])


def of_others(side, keep, context):
    """Keeps the first tokens of all texts, whosever they are."""
    return np.arange(keep.sum())


def by_float(side, keep, context):
    """Keeps the start of each text, counted in fractions."""
    return ranges(side.offsets[:-1], keep).astype(float)


RAREST = Strategy(rarest, needs_fit=True, content_dependent=True)


FOREIGN = ("rarest", "nothing", "by_side", "backwards", "of_others", "by_float", "broken")


@pytest.fixture
def plugins(monkeypatch):
    points = {
        "trimtab.splits": {"halves": "halves", "ratio": "halves"},
        "trimtab.selections": {
            "rarest": "RAREST",
            "nothing": "nothing",
            "by_side": "by_side",
            "backwards": "backwards",
            "of_others": "of_others",
            "by_float": "by_float",
            "broken": "missing",
        },
    }
    for group, names in points.items():
        points[group] = [EntryPoint(name, f"{__name__}:{value}", group) for name, value in names.items()]
    # Tests are imported by path, so an entry point could not import this module again.
    monkeypatch.setattr(EntryPoint, "load", lambda point: globals()[point.value.partition(":")[2]])
    monkeypatch.setattr(registry, "entry_points", lambda group: points[group])


@pytest.mark.usefixtures("plugins")
def test_strategies_of_other_packages():
    truncation = parse("halves(label=y)+nothing")
    assert str(truncation) == "halves(label=y)+nothing"
    assert truncation.content_dependent  # nothing is known of a plain function
    assert [kept.tolist() for kept in truncation.split([9], [9], 5)] == [[2], [3]]
    assert parse("ratio").splitting.strategy is registry.SPLITS["ratio"]
    with pytest.raises(InputError, match="no split is called 'halvs'; did you mean 'halves'"):
        parse("halvs")
    with pytest.raises(InputError, match="generous must be true or false, not 1"):
        parse("halves(generous=1)")


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("options", "kept"),
    [("generous=true", "1 + 9"), ("shift=1", "2 + 3"), ("shift=-2", "-1 + 6"), ("shift=-6", "-5 + 10")],
)
def test_a_foreign_split_that_breaks_its_promise_is_caught(options, kept):
    with pytest.raises(
        ValueError, match=re.escape(f"halves keeps {kept} tokens of 1 + 9 at a budget of 5 (row 0)")
    ):
        parse(f"halves({options})").split([1], [9], 5)


@pytest.mark.usefixtures("plugins")
def test_a_foreign_selection_that_breaks_its_promise_is_caught():
    rows = Ragged.from_rows([[1, 2, 3, 4], [5, 6, 7, 8]])
    with pytest.raises(InputError, match="selection nothing kept 0 tokens where it was asked for 4"):
        parse("ratio+nothing").apply(rows, None, 2)
    for name, row in (("backwards", 0), ("of_others", 1)):
        words = rf"selection {name} must keep tokens of the row, .* but does not \(row {row}\)"
        with pytest.raises(InputError, match=words):
            parse(f"ratio+{name}").apply(rows, None, 2)
    with pytest.raises(InputError, match="by_float returns no integer arrays: this is a plugin bug"):
        parse("ratio+by_float").apply(rows, None, 2)
    # A window on larger values, empty rows and rows that are kept whole are no fault.
    window = Ragged(np.arange(10), np.array([1, 1, 4, 6, 6]))
    assert parse("ratio+by_side").keep(window, None, 2).first.tolist() == [1, 2, 4, 5]


@pytest.mark.usefixtures("plugins")
def test_a_selection_knows_its_side():
    rows = Ragged.from_rows([[1, 2, 3, 4]])
    assert [side[0].tolist() for side in parse("ratio+by_side").apply(rows, rows, 4)] == [[1, 2], [3, 4]]


@pytest.mark.usefixtures("plugins")
def test_a_foreign_strategy_that_cannot_be_loaded_is_named():
    with pytest.raises(InputError, match=r"selection 'broken' .* cannot be loaded: KeyError"):
        parse("ratio+broken")


@pytest.mark.usefixtures("plugins")
def test_describe_lists_foreign_ones():
    names = [(row["kind"], row["name"]) for row in describe()]
    assert names == [
        *(("split", name) for name in [*registry.SPLITS, "halves"]),
        *(("selection", name) for name in [*registry.SELECTIONS, *FOREIGN]),
    ]
    assert describe()[-1]["meaning"].startswith("selection 'broken' (")
    assert "cannot be loaded: KeyError" in describe()[-1]["meaning"]


@pytest.mark.usefixtures("plugins")
def test_a_selection_that_is_fitted():
    first, second = Ragged.from_rows([[0, 1, 2], [0, 1, 3]]), Ragged.from_rows([[0, 0, 4], [3]])
    truncation = parse("ratio+rarest/head")
    assert truncation.needs_fit
    assert truncation.content_dependent
    with pytest.raises(InputError, match=r"rarest must be fitted first: call fit\(first, second\)"):
        truncation.apply(first, second, 4)
    fitted = truncation.fit(first, second)
    assert fitted == truncation
    assert fitted.frequencies.tolist() == [3, 2, 1, 2, 1]
    cut = fitted.apply(first, second, 4)
    assert [cut[0][row].tolist() for row in (0, 1)] == [[1, 2], [0, 1, 3]]
    assert [cut[1][row].tolist() for row in (0, 1)] == [[0, 0], [3]]
    single = truncation.fit(first).apply(first, None, 1)
    assert [single[0][row].tolist() for row in (0, 1)] == [[2], [3]]


def test_fit_returns_itself_where_nothing_is_needed():
    truncation = parse("ratio+tail")
    assert truncation.fit(Ragged.from_rows([[1]])) is truncation


def test_document_frequencies():
    side = Ragged(np.array([9, 5, 5, 0, 5, 9]), np.array([1, 4, 4, 5]))
    assert document_frequencies(side).tolist() == [1, 0, 0, 0, 0, 2, 0, 0, 0, 0]
    assert document_frequencies(Ragged.from_rows([])).tolist() == []
    assert document_frequencies(Ragged.from_rows([[], []]), Ragged.from_rows([[1]])).tolist() == [0, 1]


def test_options_are_read_off_the_signature():
    def strategy(a, b, *, share=0.5, size: int = 3, name="x", deep=True):
        """Nothing."""

    assert [str(option) for option in options_of(strategy).values()] == [
        "share=0.5",
        "size=3",
        "name=x",
        "deep=True",
    ]
    assert options_of(strategy)["share"] == Option("share", 0.5, float)
    assert options_of(strategy)["share"].read(2) == 2.0
    assert options_of(strategy)["name"].read(2) == "2"
    with pytest.raises(InputError, match="share must be a number, not 'a'"):
        options_of(strategy)["share"].read("a")


def test_an_option_needs_a_default():
    def strategy(a, b, *, share):
        """Nothing."""

    with pytest.raises(TypeError, match="option 'share' of a strategy has no default"):
        options_of(strategy)
