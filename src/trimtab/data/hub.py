"""Data sets of the Hugging Face hub, by name, through the package ``datasets`` (an optional extra)."""

import logging
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from trimtab.config import InputError, StrictModel
from trimtab.data import files
from trimtab.data.examples import Examples, Gathering
from trimtab.data.reader import Facts, Reader
from trimtab.data.table import Labels, label_text, texts_of_row

if TYPE_CHECKING:
    from datasets import Dataset

_WITHOUT_GOLD = -1  # a numbered label that is missing


class Options(StrictModel):
    """Options of reader ``hub``."""

    name: str = Field(
        min_length=1, description="name of the data set, such as 'nyu-mll/glue', or a folder of data files"
    )
    config: str | None = Field(None, description="which configuration, such as 'rte'")
    revision: str | None = Field(None, description="a commit or tag, so that the data stays the same")
    first: str = Field(description="the column of the first text")
    second: str | None = Field(None, description="the column of the second text")
    label: str = Field("label", description="the column of the label")
    cluster: str | None = Field(
        None, description="the column of cluster ids (rows that were sampled together)"
    )
    drop: Labels = Field((), description="labels whose rows are dropped")


def read(split: str, root: Path | None, options: Options) -> Examples:
    """The rows of a split of the hub; those with label -1 or one of ``drop`` are left out and counted.

    Numbered labels get their names, in the hub's order. A ``name`` that is a folder below ``root``,
    TRIMTAB_DATA or the current folder is read without the network. Raises InputError, with the number of the
    row (from 1) if a row is wrong, and where ``datasets`` is not installed.
    """
    table = _load(split, root, options)
    source = " ".join(filter(None, (options.name, options.config, split)))
    roles = {role: getattr(options, role) for role in ("label", "first", "second", "cluster")}
    columns = {role: name for role, name in roles.items() if name is not None}
    for name in columns.values():
        files.column(name, table.column_names, source)
    names = getattr(table.features[options.label], "names", None)
    gathering = Gathering(source, names or ())
    chosen = table.select_columns(list(dict.fromkeys(columns.values())))
    for number, row in enumerate(chosen, 1):
        label = _label(row[options.label], names)
        if label is None or label in options.drop:
            gathering.dropped += 1
            continue
        values = {role: row[name] for role, name in columns.items()} | {"label": label}
        gathering.add(number, **texts_of_row(f"{source}:{number}", values, columns))
    return gathering.examples()


def _label(value: Any, names: list[str] | None) -> Any:
    """A label as text, None where there is none; other values unchanged."""
    if names is not None and isinstance(value, int):
        return None if value == _WITHOUT_GOLD else names[value]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return label_text(value)


def _load(split: str, root: Path | None, options: Options) -> "Dataset":
    try:
        import datasets
    except ImportError as error:
        mend = "install it with: pip install 'trimtab[datasets]'"
        raise InputError(f"reader 'hub' needs the package datasets; {mend}") from error
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    # Without a network each attempt logs a warning; the outcome is reported once, below.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    folder = Path(options.name).expanduser()
    folder = folder if folder.is_absolute() else (files.data_root(root) or Path.cwd()) / folder
    path = str(folder) if folder.is_dir() else options.name
    try:
        return datasets.load_dataset(path, options.config, split=split, revision=options.revision)
    except Exception as error:  # the hub, the network, a data set's script and a file each raise their own
        reason = " ".join(str(error).split()) or type(error).__name__
        what = f"data set {options.name!r}"
        mend = "check name, config, split and revision, and the network connection"
        raise InputError(f"reader 'hub': {what} could not be read ({reason}); {mend}") from error


READER = Reader(
    read=read,
    options=Options,
    text_forms=("sentence",),
    splits=None,
    facts={
        "hub": Facts(
            what="any data set of the Hugging Face hub, by name; needs pip install 'trimtab[datasets]'",
            columns="those that 'first', 'second', 'label' and 'cluster' name",
            labels="the data set's own, else those that occur in train",
            metric="the study's",
            clusters="the column 'cluster', else each row its own",
            rows="those of the split of that name",
            licence="the data set's own",
            origin="https://huggingface.co/datasets",
        )
    },
)
