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

_WITHOUT_GOLD = -1  # what a numbered label is where there is none


class Options(StrictModel):
    """What a study says about a data set of the hub."""

    name: str = Field(min_length=1, description="its name, such as 'nyu-mll/glue', or a folder of data files")
    config: str | None = Field(None, description="which of its configurations, such as 'rte'")
    revision: str | None = Field(None, description="a commit or tag of it, so that it stays the same")
    first: str = Field(description="the column of the first text")
    second: str | None = Field(None, description="the column of the second text")
    label: str = Field("label", description="the column of the label")
    cluster: str | None = Field(None, description="the column that says which rows were sampled together")
    drop: Labels = Field((), description="labels that mean: leave this row out")


def read(split: str, root: Path | None, options: Options) -> Examples:
    """The rows of a split, called as the hub calls it; those with label -1 or one of ``drop`` are counted.

    A numbered label is given its name, and the order of names is the hub's. A ``name`` that is a folder below
    ``root``, TRIMTAB_DATA or the current one is read without the network. Raises InputError, with the row
    (from 1) where it is a row that is wrong, and where ``datasets`` is not installed.
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
    """A label as text, None where there is none; anything that is no label as it is."""
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
    # Each of its attempts without a network is a warning; what came of them is said once, below.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    folder = Path(options.name).expanduser()
    folder = folder if folder.is_absolute() else (files.data_root(root) or Path.cwd()) / folder
    path = str(folder) if folder.is_dir() else options.name
    try:
        return datasets.load_dataset(path, options.config, split=split, revision=options.revision)
    except Exception as error:  # whatever the hub, the network, a script of the data set or a file raises
        reason = " ".join(str(error).split()) or type(error).__name__
        what = f"data set {options.name!r}"
        mend = "mend name, config, split or revision, or see to the network"
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
            labels="the data set's own, or those that occur",
            metric="the study's",
            clusters="the column 'cluster', else each row its own",
            rows="those of the split of that name",
            licence="the data set's own",
            origin="https://huggingface.co/datasets",
        )
    },
)
