"""The settings of a variant: what [base] and a place in [grid] resolve to."""

from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from trimtab.config import InputError, explain, nearest
from trimtab.model.architecture import AUTO, PACKED, TRANSFORMERS, Architecture
from trimtab.model.kinds import KINDS
from trimtab.model.sizes import SETTINGS, architecture
from trimtab.training.recipe import Recipe
from trimtab.truncation import Truncation, parse
from trimtab.truncation.windows import NO_WINDOWS, Windows, parse_windows

RECIPE_KEYS = tuple(field.name for field in fields(Recipe))
_IMPLEMENTATIONS = (PACKED, TRANSFORMERS, AUTO)

_MOST = 1_000_000  # of max_len and replica; a larger one is a slip

# The types of the keys that are neither the architecture's nor the recipe's, for the schema of study files.
OWN: dict[str, Any] = {
    "truncation": Annotated[str, Field(min_length=1, description="how rows are cut, such as ratio+tail")],
    "max_len": Annotated[
        int, Field(ge=1, le=_MOST, description="the most tokens of a row, special tokens included")
    ],
    "windows": Annotated[
        str, Field(min_length=1, description="what takes the place of a cut, such as second")
    ],
    "size": Annotated[str, Field(min_length=1, description="a size by name, or numbers such as 2x256/512/4")],
    "weights": Annotated[
        str, Field(min_length=1, description="pretrained weights, by name or path, or none: from scratch")
    ],
    "implementation": Annotated[
        Literal["packed", "transformers", "auto"],
        Field(description="packed, padded through transformers, or whichever suits the architecture"),
    ],
    "replica": Annotated[
        int,
        Field(ge=0, le=_MOST, description="number of a repetition with seeds of its own, to test trimtab"),
    ],
}

NONE = "none"  # the value of weights for a model that is trained from scratch

# What pretrained weights bring themselves, and what of it training may set all the same.
_OF_TRAINING = ("dropout", "initial_deviation")
OF_WEIGHTS = ("size", *(key for key in SETTINGS if key not in _OF_TRAINING))

SEEDS_OF_A_REPLICA = 1_000_000  # replica r trains seed s as seed s + r * this; seeds of a study stay below


@dataclass(frozen=True)
class Settings:
    """A truncation and length, which make the inputs; an architecture and recipe, which train on them.

    replica: 0, or the number of a repetition with seeds of its own. weights: the pretrained weights that
    training starts from, by name or path, or ``none``. implementation: what the study asks for; ``size`` says
    which one it comes to. windows: what takes the place of the truncation, None where that is none.
    stated: the keys of the size that the study gives;
    with pretrained weights ``size`` holds only these until ``sized`` is called with theirs.
    """

    truncation: Truncation
    max_len: int
    size: Architecture
    recipe: Recipe
    replica: int = 0
    weights: str = NONE
    stated: tuple[tuple[str, Any], ...] = ()
    implementation: str = PACKED
    windows: Windows | None = None

    @property
    def starts_from(self) -> str | None:
        """The pretrained weights that training starts from; None where it starts from scratch."""
        return None if self.weights == NONE else self.weights

    @property
    def initialisation(self) -> tuple[Architecture, str | None, int]:
        """What a seed's initial weights and order of rows depend on, beside it; see ``grid.are_paired``."""
        return self.size.begins_as, self.starts_from, self.replica

    def sized(self, size: Architecture) -> "Settings":
        """The same with the size that the weights have; InputError where another one was stated."""
        for key, value in self.stated:
            if key == "size" and str(architecture(value)) != str(size):
                raise _disagrees(f"size {value!r} ({architecture(value)})", self.weights, str(size))
            if key in OF_WEIGHTS and key != "size" and getattr(size, key) != value:
                raise _disagrees(f"{key} = {value!r}", self.weights, f"{key} = {getattr(size, key)!r}")
        stated = dict(self.stated)
        if "dropout" in stated:
            size = size.with_dropout(stated["dropout"])
        if "initial_deviation" in stated:
            size = replace(size, initial_deviation=stated["initial_deviation"])
        if size.configuration is None and self.implementation == TRANSFORMERS:
            size = replace(size, implementation=TRANSFORMERS)
            _check_expressed(size)
        _check_devices(size, self.recipe)
        return replace(self, size=size)

    def check_inputs(self) -> None:
        """InputError where inputs or recipe do not fit; what weights or tokenisers decide is left to them."""
        max_len, positions = self.max_len, self.size.positions
        if max_len < 1:
            raise InputError(
                f"max_len = {max_len} is wrong; it should have room for special tokens and a text"
            )
        if self.recipe.devices > self.recipe.batch_size:
            what = (
                f"devices = {self.recipe.devices} is more than the {self.recipe.batch_size} rows of a batch"
            )
            raise InputError(f"{what}, which they share; lower devices, or raise batch_size")
        if self.starts_from:
            return
        _check_devices(self.size, self.recipe)
        self.check_depth()
        _check_expressed(self.size)
        if max_len > positions:
            what = f"max_len {max_len} is over the {positions} rows of the position table"
            raise InputError(f"{what}; lower it, or set positions")

    def check_depth(self) -> None:
        """InputError where the recipe speaks of more layers than there are."""
        frozen, layers = self.recipe.frozen, self.size.layers_with_weights
        held = frozen if isinstance(frozen, int) else 0
        if max(held, self.recipe.reinitialise) > layers:
            key = "frozen" if held > layers else "reinitialise"
            value = getattr(self.recipe, key)
            raise InputError(f"{key} = {value} is more than the {layers} layers of the encoder; lower it")
        if held + self.recipe.reinitialise > layers:
            what = f"frozen = {held} and reinitialise = {self.recipe.reinitialise}"
            raise InputError(f"{what} meet in an encoder of {layers} layers; lower one of them")

    def trained_seed(self, seed: int) -> int:
        """The seed that a trial really trains with, for a seed of the study: no two replicas share one."""
        return seed + self.replica * SEEDS_OF_A_REPLICA


def known_keys() -> tuple[str, ...]:
    """Every key that [base] and [grid] may hold."""
    return (*OWN, *SETTINGS, *RECIPE_KEYS)


def resolve(table: dict[str, Any], place: str) -> Settings:
    """The settings that ``table`` gives over the defaults; InputError names ``place`` and the key."""
    for key in table:
        if key not in known_keys():
            raise InputError(f"{place}: unknown key {key!r}; {nearest(key, known_keys())}")
    try:
        return Settings(
            _truncation(table.get("truncation", "longest_first")),
            _whole_number(table, "max_len", 128),
            _size(table),
            Recipe(**{key: table[key] for key in RECIPE_KEYS if key in table}),
            _replica(table),
            _weights(table),
            tuple((key, table[key]) for key in ("size", *SETTINGS) if key in table),
            _implementation(table),
            parse_windows(table.get("windows", NO_WINDOWS)),
        )
    except ValidationError as error:
        raise InputError(f"{place}: {explain(error, known_keys())}") from error
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def resolve_size(table: dict[str, Any], place: str) -> tuple[Architecture, Recipe]:
    """The size and the recipe alone that ``table`` gives, of which other keys are somebody else's."""
    keys = ("size", *SETTINGS, *RECIPE_KEYS)
    settings = resolve({key: table[key] for key in keys if key in table}, place)
    return settings.size, settings.recipe


def _truncation(value: Any) -> Truncation:
    if not isinstance(value, str):
        raise InputError(f"truncation = {value!r} is wrong; it should be a string such as 'ratio+tail'")
    return parse(value)


def _whole_number(table: dict[str, Any], key: str, default: int) -> int:
    value = table.get(key, default)
    if type(value) is not int:
        raise InputError(f"{key} = {value!r} is wrong; it should be a whole number")
    if value > _MOST:
        raise InputError(f"{key} = {value!r} is too large; give at most {_MOST:,}")
    return value


def _replica(table: dict[str, Any]) -> int:
    replica = _whole_number(table, "replica", 0)
    if replica < 0:
        raise InputError(f"replica = {replica} is wrong; number replicas from 0")
    return replica


def _weights(table: dict[str, Any]) -> str:
    name = table.get("weights", NONE)
    if not (isinstance(name, str) and name):
        raise InputError(f"weights = {name!r} is wrong; it should be a name or a path, or {NONE!r}")
    return name


def _implementation(table: dict[str, Any]) -> str:
    found = table.get("implementation", PACKED)
    if found not in _IMPLEMENTATIONS:
        known = ", ".join(map(repr, _IMPLEMENTATIONS))
        raise InputError(f"implementation = {found!r} is wrong; it should be one of {known}")
    return str(found)


def _check_expressed(size: Architecture) -> None:
    """InputError where transformers has no encoder of ``size``, through which it should be trained."""
    if not size.is_packed and size.configuration is None and not KINDS[size.kind].expresses(size.begins_as):
        what = "implementation = 'transformers': transformers has no encoder with these settings"
        raise InputError(f"{what}; set embedding_norm = true, or train it packed")


def _check_devices(size: Architecture, recipe: Recipe) -> None:
    """InputError where several devices should train what only one can."""
    if recipe.devices > 1 and not size.is_packed:
        what = f"devices = {recipe.devices}: a model that trains through transformers has one process"
        raise InputError(f"{what}; leave devices out, or train it packed")


def _disagrees(stated: str, weights: str, theirs: str) -> InputError:
    return InputError(f"{stated} contradicts weights {weights!r}, which have {theirs}; leave it out")


def _size(table: dict[str, Any]) -> Architecture:
    name = table.get("size", "small")
    if not isinstance(name, str):
        raise InputError(f"size = {name!r} is wrong; it should be a name such as 'small', or '2x256/512/4'")
    try:
        size = architecture(name)
    except ValidationError as error:
        if not error.errors()[0]["loc"]:  # numbers that exclude each other: the error says why
            raise
        raise InputError(f"size {name!r}: its numbers must be 1 or more, as in 2x256/512/4") from error
    if table.get("implementation") == TRANSFORMERS:
        size = replace(size, implementation=TRANSFORMERS)
    return replace(size, **{key: table[key] for key in SETTINGS if key in table})
