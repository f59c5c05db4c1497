"""The [data] section of a study file: which reader reads which split, and how texts become tokens."""

from typing import Annotated, Any

from pydantic import Field

from trimtab.config import InputError, StrictModel, nearest, validated
from trimtab.data.dataset import DataPlan, SplitSource
from trimtab.data.readers import Reader, check, options_of, reader_of
from trimtab.data.target import Target

# The share of train that is held out where the data has no validation split of its own.
HELD_OUT = 0.1
SPLITS = ("train", "validation", "test")


class Shared(StrictModel):
    """The keys of [data] that hold for every split.

    target: what the labels are, and so what a model gives; text: the form of the texts, one for all splits;
    tokenizer: ``whitespace``, ``words``, a path to a vocab.txt or tokenizer.json, or pretrained weights that
    bring one (variants that start from weights read with their own, whatever stands here); min_freq: how
    often a word must occur in train; lowercase: whether all text is made so; validation_seed:
    draws the rows of train that are held out.
    """

    target: Target = "classes"
    text: str | None = None
    tokenizer: Annotated[str, Field(min_length=1)] | None = None
    min_freq: Annotated[int, Field(ge=1)] = 5
    lowercase: bool = True
    validation_seed: Annotated[int, Field(ge=0)] | None = None


SHARED_KEYS = tuple(Shared.model_fields)


def read_data_section(table: dict[str, Any]) -> DataPlan:
    """The [data] section, with each reader's options checked; InputError names the place."""
    common = dict(table)
    shared = {key: common.pop(key) for key in list(common) if key in Shared.model_fields}
    settings = validated(Shared, shared, "[data]")
    # A table names a split; anything else of that name is an option of the reader (probe's sizes).
    tables = {key: common.pop(key) for key in SPLITS if _is_split(key, common)}
    sections = _Sections(common, settings, _first_reader(common, tables))
    train = sections.source("train", "train", tables.get("train", {}))
    validation = _validation(sections, tables.get("validation"), settings.validation_seed)
    tokenizer = settings.tokenizer or ("whitespace" if sections.text == "parse" else "words")
    return DataPlan(
        train=train,
        validation=validation,
        tests={name: sections.source(place, "test", t) for name, (place, t) in _tests(tables).items()},
        tokenizer=tokenizer,
        min_freq=settings.min_freq,
        lowercase=settings.lowercase,
        validation_seed=settings.validation_seed or 0,
        target=settings.target,
    )


def _is_split(key: str, table: dict[str, Any]) -> bool:
    value = table.get(key)
    return isinstance(value, dict) or (key == "validation" and isinstance(value, int | float))


def _validation(sections: "_Sections", given: Any, seed: int | None) -> SplitSource | float:
    chosen = _share(given) if isinstance(given, int | float) else sections.validation(given)
    if isinstance(chosen, SplitSource) and seed is not None:
        raise InputError(
            f"[data]: validation_seed = {seed} has no effect, because validation is a split of its own; "
            "leave it out, or give validation = 0.1, the share of train to hold out"
        )
    return chosen


def _share(value: float) -> float:
    if isinstance(value, bool) or not 0 < value < 1:
        raise InputError(
            f"[data]: validation = {value!r} is wrong; give the share of train to hold out, between 0 and 1, "
            "or a table [data.validation]"
        )
    return float(value)


def _first_reader(common: dict[str, Any], tables: dict[str, Any]) -> str:
    name = tables.get("train", {}).get("reader", common.get("reader"))
    if name is None:
        raise InputError("[data]: reader is missing; name one, such as reader = 'snli'")
    return name


def _tests(tables: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Place and table of the test sets by name; a plain [data.test] is the one named test."""
    table = tables.get("test", {})
    named = {key: value for key, value in table.items() if isinstance(value, dict)}
    if not named:
        return {"test": ("test", table)}
    if len(named) < len(table):
        stray = next(key for key in table if key not in named)
        raise InputError(f"[data.test]: {stray!r} stands beside named test sets; put it into one of them")
    for name in named:
        if name in ("train", "validation"):
            raise InputError(f"[data.test.{name}]: that is the name of another split; rename the test set")
        if not name.replace("-", "_").isidentifier():
            raise InputError(f"[data.test.{name}]: not a name for a test set; use letters, digits, _ and -")
    return {name: (f"test.{name}", value) for name, value in named.items()}


class _Sections:
    """How the tables of the splits are read: common options, one text form and one target for all."""

    def __init__(self, common: dict[str, Any], shared: Shared, reader: str) -> None:
        self.common, self.common_reader = common, common.pop("reader", None)
        self.text = shared.text or _reader(reader, "[data]").text_forms[0]
        self.target = shared.target
        self._check_common()

    def source(self, place: str, split: str, table: dict[str, Any]) -> SplitSource:
        table = dict(table)
        reader = table.pop("reader", self.common_reader)
        if reader is None:
            raise InputError(f"[data.{place}]: reader is missing; name one, such as reader = 'table'")
        found = _reader(reader, f"[data.{place}]")
        forms = found.text_forms
        for key in ("text", "target"):
            if key in table:
                raise InputError(f"[data.{place}]: {key} must be the same for every split; set it in [data]")
        if self.target not in found.targets:
            known = " or ".join(map(repr, found.targets))
            raise InputError(
                f"[data.{place}]: reader {reader!r} reads no {self.target}; take target = {known}"
            )
        # Options in [data] are for the reader named there, not for one that a split names instead.
        options = (self.common if reader == self.common_reader else {}) | table
        split = options.pop("split", split)
        if not isinstance(split, str):
            raise InputError(
                f"[data.{place}]: split = {split!r} is wrong; it should be a name such as 'test'"
            )
        if self.text not in forms:
            known = nearest(self.text, forms)
            raise InputError(f"[data.{place}]: reader {reader!r} has no text form {self.text!r}; {known}")
        if "text" in options_of(reader):
            options["text"] = self.text
        if self.target != "classes":
            options["target"] = self.target
        try:
            check(reader, split, **options)
        except InputError as error:
            raise InputError(f"[data.{place}]: {error}") from error
        return SplitSource(reader, split, options)

    def validation(self, table: dict[str, Any] | None) -> SplitSource | float:
        if table is not None:
            return self.source("validation", "validation", table)
        if self.common_reader is None:
            return HELD_OUT
        reader = _reader(self.common_reader, "[data]")
        if reader.splits is None or not reader.own_validation:
            return HELD_OUT
        return self.source("validation", "validation", {})

    def _check_common(self) -> None:
        """InputError where [data] holds a key that neither it nor its reader knows."""
        known = {*Shared.model_fields, "reader", *SPLITS}
        options: set[str] = set()
        if self.common_reader is not None:
            _reader(self.common_reader, "[data]")  # for its error
            options = {*options_of(self.common_reader), "split"}
        for key in self.common:
            if key in SPLITS and key not in options:
                value = self.common[key]
                raise InputError(f"[data]: {key} = {value!r} is wrong; it should be a table [data.{key}]")
            if key not in options:
                raise InputError(f"[data]: unknown key {key!r}; {nearest(key, known | options)}")


def _reader(name: Any, place: str) -> Reader:
    """The reader of that name; InputError names ``place`` where there is none."""
    if not isinstance(name, str):
        raise InputError(f"{place}: reader = {name!r} is wrong; it should be a name such as 'snli'")
    try:
        return reader_of(name)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
