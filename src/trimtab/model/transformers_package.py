"""The package transformers, imported when a model needs it: its configurations and classes, and its silence.

Free of torch and of transformers until then.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from trimtab.config import InputError

_PACKAGE = "transformers"


def require(what: str) -> None:
    """InputError where transformers is not installed, which ``what`` needs."""
    if find_spec(_PACKAGE) is None:
        raise InputError(f"{what} needs {_PACKAGE}, which is not installed; pip install 'trimtab[peers]'")


@contextmanager
def quiet() -> Iterator[Any]:
    """The package, without its progress bars, messages and warnings: a command line has its own."""
    package = import_module(_PACKAGE)
    logging = package.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings(action="ignore"):
            yield package
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def configuration_of(table: Mapping[str, Any], where: object) -> Any:
    """The configuration that the keys of a ``config.json`` describe; ``where`` is its name in errors.

    No code from outside the package is executed. InputError where it does not know the model_type, or has no
    classifier of whole texts for it.
    """
    model_type = table.get("model_type")
    with quiet() as package:
        if model_type not in package.CONFIG_MAPPING:
            known = f"{_PACKAGE} {package.__version__} does not know model_type {model_type!r}"
            raise InputError(f"{where}: {known}; upgrade it, or use other weights")
        kind = package.CONFIG_MAPPING[model_type]
        try:
            made = kind.from_dict(dict(table))
        except Exception as error:  # each configuration checks its keys in its own way
            reason = " ".join(str(error).split())
            raise InputError(f"{where}: {_PACKAGE} rejects it ({reason}); correct it") from error
        if kind not in package.AutoModelForSequenceClassification._model_mapping:
            what = f"{_PACKAGE} has no classifier of whole texts for model_type {model_type!r}"
            raise InputError(f"{where}: {what}; use other weights")
        if getattr(made, "is_encoder_decoder", False):
            what = f"model_type {model_type!r} has an encoder and a decoder, and an encoder alone is trained"
            raise InputError(f"{where}: {what}; use other weights")
    return made


def class_of(configuration: Any) -> Any:
    """The package's classifier of whole texts for a configuration that ``configuration_of`` made."""
    with quiet() as package:
        return package.AutoModelForSequenceClassification._model_mapping[type(configuration)]


def empty_model(configuration: Any) -> Any:
    """A classifier with this configuration and weights of no importance, in fp32."""
    kind = class_of(configuration)
    with quiet():
        attention = "sdpa" if kind._supports_sdpa else "eager"
        return kind._from_config(configuration, attn_implementation=attention)
