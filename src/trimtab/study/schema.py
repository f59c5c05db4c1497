"""A JSON schema of study files, for editors: made from the types that the study file is read by.

What a schema cannot say, such as that no key stands in [base] and [grid], the reading of the file still does.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

from trimtab.data.paragraphs import CORPORA
from trimtab.data.readers import describe, reader_of
from trimtab.data.sampling import Sampling
from trimtab.model.architecture import Architecture
from trimtab.model.sizes import SETTINGS
from trimtab.study import pretraining_definition as pretraining
from trimtab.study.compare_section import Compare
from trimtab.study.data_section import SPLITS, Shared
from trimtab.study.definition import File
from trimtab.study.descriptions import key_meanings
from trimtab.study.settings import OWN, RECIPE_KEYS
from trimtab.training.recipe import Recipe

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"  # the newest that taplo, behind most editors, knows


def study_schema() -> Schema:
    """The schema of study files, those of ``trimtab pretrain`` included.

    Options of readers are those of the readers installed here, plugins included.
    """
    corpus = {"properties": {"reader": {"enum": sorted(CORPORA)}}, "required": ["reader"]}
    is_pretraining = {"properties": {"data": corpus}, "required": ["data"], "not": {"required": ["grid"]}}
    return {
        "$schema": DRAFT,
        "title": "a study of trimtab",
        "type": "object",
        "if": is_pretraining,
        "then": _pretraining(),
        "else": _study(),
        "definitions": _readers(),
    }


def _study() -> Schema:
    settings = _settings()
    seeds = {
        "description": "how many seeds, or which; a seed sets initial weights, order of rows and dropout",
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "uniqueItems": True},
        ],
    }
    axes = {key: _axis(each) for key, each in settings.items()}
    because = {"type": "string", "minLength": 1, "description": "why these variants are left out"}
    exclude = {
        "type": "object",
        "properties": _untyped(settings) | {"because": because},
        "required": ["because"],
    }
    own = {
        "data": _data(),
        "base": _table(settings),
        "grid": _table(axes | {"seeds": seeds}),
        "exclude": {"type": "array", "items": exclude | {"additionalProperties": False}},
        "compare": _table(_properties(Compare)),
        "names": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    # The last of looks says how many seeds there are, where [grid] does not.
    has_seeds = {"properties": {"grid": {"required": ["seeds"]}}}
    has_looks = {"properties": {"compare": {"required": ["looks"]}}, "required": ["compare"]}
    return _file(File, own) | {"anyOf": [has_seeds, has_looks]}


def _pretraining() -> Schema:
    of_recipe = {key: each for key, each in _settings().items() if key in (*SETTINGS, *RECIPE_KEYS)}
    data: Schema = {"allOf": [], "properties": {}}
    for name, corpus in sorted(CORPORA.items()):
        options = _properties(corpus.options)
        validation = _table(options | {"reader": {"type": "string"}})
        keys = _properties(pretraining.Data) | options | {"validation": validation}
        data["properties"] |= _untyped(keys)
        data["allOf"].append(_where_reader(name, _table(keys)))
    own = {"data": data | {"type": "object"}, "base": _table(of_recipe | _properties(pretraining.Own))}
    return _file(pretraining.File, own)


def _data() -> Schema:
    """[data]: common keys, and those of the reader, if [data] names one."""
    shared = _properties(Shared)
    alone = {split: {"$ref": "#/definitions/any split"} for split in SPLITS}
    alone |= {"test": _tests(alone["test"]), "validation": _validation(alone["validation"])}
    strict = [{"if": {"not": {"required": ["reader"]}}, "then": _table(shared | alone)}]
    known: Schema = {}
    for name in _names():
        options = _options(name)
        own = {"$ref": f"#/definitions/split of {name}"}
        splits: Schema = {"train": own, "validation": _validation(own), "test": _tests(own)}
        for split in splits.keys() & options.keys():  # an option of that name, such as probe's number of rows
            splits[split] = {"anyOf": [options.pop(split), splits[split]]}
        known |= _untyped(options)
        keys = shared | {"reader": {"type": "string"}, "split": {"type": "string"}} | options | splits
        strict.append(_where_reader(name, _table(keys)))
    described = _untyped(shared) | known | {"reader": _reader_key()}
    return {"type": "object", "properties": described, "allOf": strict}


def _readers() -> Schema:
    """By name, the tables of a split: of one whose reader [data] names, or of any, which names its own."""
    found: Schema = {}
    any_split = []
    for name in _names():
        keys = _options(name) | {"split": {"type": "string"}, "reader": {"type": "string"}}
        of_own = {
            "if": {"required": ["reader"]},
            "then": {"$ref": "#/definitions/any split"},
            "else": _table(keys),
        }
        found[f"split of {name}"] = {"type": "object"} | of_own
        any_split.append(_where_reader(name, _table(keys)))
    found["any split"] = {"type": "object", "properties": {"reader": _reader_key()}, "allOf": any_split}
    return found


def _reader_key() -> Schema:
    return {"enum": _names(), "description": "what reads the data: trimtab datasets lists readers"}


def _names() -> list[str]:
    return list(dict.fromkeys(row["reader"] for row in describe()))


def _options(reader: str) -> Schema:
    """The options of a reader; ``text`` and ``target`` are the study's."""
    own = _properties(reader_of(reader).options)
    return {key: each for key, each in (_properties(Sampling) | own).items() if key not in ("text", "target")}


def _where_reader(name: str, then: Schema) -> Schema:
    return {"if": {"properties": {"reader": {"const": name}}, "required": ["reader"]}, "then": then}


def _validation(split: Schema) -> Schema:
    share = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    return {"anyOf": [share, split], "description": "the share of train to hold out, or a split of its own"}


def _tests(split: Schema) -> Schema:
    """One test set, or several by their names."""
    named = {"type": "object", "minProperties": 1, "additionalProperties": split | {}}
    is_named = {"minProperties": 1, "additionalProperties": {"type": "object"}}
    return {"type": "object", "if": is_named, "then": named, "else": split}


def _settings() -> Schema:
    """By key of [base]: its type and meaning, from the types that hold its values."""
    found = {key: TypeAdapter(kind).json_schema() for key, kind in OWN.items()}
    for of, keys in ((Architecture, SETTINGS), (Recipe, RECIPE_KEYS)):
        properties = _described(TypeAdapter(of).json_schema(), of.__doc__)
        found |= {key: properties[key] for key in keys}
    return found


def _properties(model: type[BaseModel]) -> Schema:
    """The keys of a table by its model."""
    return _described(model.model_json_schema(), model.__doc__)


def _described(schema: Schema, docstring: str | None) -> Schema:
    definitions = schema.get("$defs", {})
    meanings = key_meanings(docstring, schema["properties"])
    found = {}
    for key, each in schema["properties"].items():
        plain = _resolved({name: value for name, value in each.items() if name != "title"}, definitions)
        found[key] = ({"description": meanings[key]} if key in meanings else {}) | plain
        if found[key].get("default") is None:  # TOML has no null
            found[key].pop("default", None)
    return found


def _resolved(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """The same with references to ``definitions`` replaced by what they name."""
    if isinstance(schema, list):
        return [_resolved(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {key: _resolved(each, definitions) for key, each in schema.items()}


def _axis(setting: Schema) -> Schema:
    described = {"description": setting["description"]} if "description" in setting else {}
    values = {key: each for key, each in setting.items() if key not in ("description", "default")}
    return described | {"type": "array", "items": values, "minItems": 1, "uniqueItems": True}


def _table(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _untyped(properties: Schema) -> Schema:
    """The same keys, of any type: for completion, where their types depend on another key."""
    return {
        key: {"description": each["description"]} if "description" in each else {}
        for key, each in properties.items()
    }


def _file(model: type[BaseModel], own: Schema) -> Schema:
    whole = model.model_json_schema()
    properties = _properties(model)
    for key, each in own.items():
        properties[key] = {
            name: properties[key][name] for name in ("description",) if name in properties[key]
        } | each
    return {
        "type": "object",
        "properties": properties,
        "required": whole["required"],
        "additionalProperties": False,
    }
