"""d2l's format: a folder or zip with ``vocab.json`` and ``pretrained.params`` of d2l 1.0.3's BERTModel."""

import json
from pathlib import Path

import torch
from pydantic import ValidationError
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from trimtab.atomic import atomic_write, write_json
from trimtab.config import InputError, explain
from trimtab.data.tokenizer import SPECIAL_TOKENS
from trimtab.model.heads import Parts
from trimtab.model.sizes import D2L, architecture
from trimtab.model.weights import (
    FormatTensors,
    TensorPlace,
    Weights,
    check_vocabulary,
    gather,
    lay_out,
    place,
)
from trimtab.model.weights_archive import Location, content, opened, parsed, pickled
from trimtab.model.weights_tokenizer import parse

VOCABULARY, MARK, OURS, TOKENIZER = "vocab.json", "pretrained.params", "trimtab.json", "tokenizer.json"

_HEAD = 64  # width of a head in bert.small (256 / 4) and in bert.base (768 / 12)

_MODULES = {
    "encoder.embeddings.token": ("encoder.token_embedding",),
    "encoder.embeddings.segment": ("encoder.segment_embedding",),
    "qkv": ("attention.W_q", "attention.W_k", "attention.W_v"),
    "attention_out": ("attention.W_o",),
    "attention_norm": ("addnorm1.ln",),
    "ffn_in": ("ffn.dense1",),
    "ffn_out": ("ffn.dense2",),
    "output_norm": ("addnorm2.ln",),
    "pooler": ("hidden.0",),
    "masked_words.transform": ("mlm.mlp.0",),
    "masked_words.norm": ("mlm.mlp.2",),
    "masked_words.output": ("mlm.mlp.3",),
    "next_sentence": ("nsp.output",),
    "output": ("output",),  # of d2l's chapter on fine-tuning
}
_POSITIONS = TensorPlace(("encoder.pos_embedding",), read=lambda x: x[0], write=lambda x: x[None])


def _place(name: str) -> TensorPlace:
    if name == "encoder.embeddings.position.weight":
        return _POSITIONS
    return place(name, "encoder.blks.{}.", _MODULES)


def recognise(path: Path) -> bool:
    """Whether ``path`` is a file, which must then be a zip, or a folder with d2l's parameters."""
    return path.is_file() or (path / MARK).is_file()


def read(path: Path, heads: int | None = None) -> tuple[Weights, Tokenizer]:
    """The weights and tokeniser of a d2l folder or zip.

    Sizes are read from the tensors, which do not tell the number of heads: it is ``heads``, else what
    ``trimtab.json`` beside them says, else hidden / 64, as in bert.small and bert.base. A zip with a
    published name must be the published one. A word that the vocabulary lists twice has the later id, as in
    d2l. Raises InputError.
    """
    with opened(path, MARK) as folder:
        if not (folder / VOCABULARY).is_file():
            what = f"{path}: has no {VOCABULARY}"
            raise InputError(f"{what}; add the vocabulary that the weights were trained with")
        words = parsed(folder / VOCABULARY)
        if not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
            raise InputError(f"{folder / VOCABULARY}: is not a list of words; write d2l's idx_to_token")
        source = FormatTensors(folder / MARK, pickled(folder / MARK))
        parts = _parts(source, heads or _written_heads(folder))
        tokenizer = _tokenizer(folder, words)
    check_vocabulary(len(words) - 1, parts.vocabulary, f"{path}/{VOCABULARY}", padded=False)
    tensors, ignored = gather(source, parts, _place, "encoder.")
    return Weights(parts, tensors, ignored=ignored), tokenizer


def _written_heads(folder: Location) -> int | None:
    file = folder / OURS
    said = parsed(file) if file.is_file() else {}
    heads = said.get("heads") if isinstance(said, dict) else said
    if heads is not None and not (isinstance(heads, int) and heads > 0):
        raise InputError(f"{file}: heads = {heads!r} is wrong; it must be a positive integer")
    return heads


def _parts(source: FormatTensors, heads: int | None) -> Parts:
    table, segments = (source.of(f"encoder.{kind}_embedding.weight", 2) for kind in ("token", "segment"))
    hidden, inner = table.shape[1], len(source.of("encoder.blks.0.ffn.dense1.weight", 2))
    numbers = {name.split(".")[2] for name in source.tensors if name.startswith("encoder.blks.")}
    if heads is None and hidden % _HEAD:
        what = (
            f"does not tell the number of attention heads, and its width {hidden} is not divisible by {_HEAD}"
        )
        mend = f'write {{"heads": N}} into a {OURS} beside it'
        raise InputError(f"{source.path}: {what}; {mend}")
    try:
        size = architecture(
            f"{len(numbers)}x{hidden}/{inner}/{heads or hidden // _HEAD}",
            positions=source.of("encoder.pos_embedding", 3).shape[1],
            segments=len(segments),
            **D2L,  # which the files do not say, as d2l's code has no other
        )
    except ValidationError as error:
        raise InputError(f"{source.path}: {explain(error, ())}") from error
    return Parts(
        size,
        vocabulary=len(table),
        pooler="hidden.0.weight" in source.tensors,
        masked_words="mlm.mlp.0.weight" in source.tensors,
        next_sentence="nsp.output.weight" in source.tensors,
        classes=len(source.of("output.weight", 2)) if "output.weight" in source.tensors else 0,
    )


def _tokenizer(folder: Location, words: list[str]) -> Tokenizer:
    """d2l's tokenisation, lowercased and split at white space; or that of ``tokenizer.json`` beside it."""
    ids = {word: number for number, word in enumerate(words)}
    if not (folder / TOKENIZER).is_file():
        return _words(ids, folder / VOCABULARY)
    tokenizer = parse(content(folder / TOKENIZER), folder / TOKENIZER)
    if tokenizer.get_vocab() != ids:
        what = f"and the {VOCABULARY} beside it have different vocabularies"
        raise InputError(f"{folder / TOKENIZER}: {what}; delete one of them")
    return tokenizer


def _words(ids: dict[str, int], where: Location) -> Tokenizer:
    if "<unk>" not in ids:
        raise InputError(f"{where}: has no <unk> for unknown words; add it")
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([token for token in SPECIAL_TOKENS if token in ids])
    return tokenizer


def write(folder: Path, weights: Weights, tokenizer: Tokenizer) -> None:
    """Write ``weights`` as d2l reads them: ``vocab.json`` and ``pretrained.params``.

    ``tokenizer.json`` and ``trimtab.json`` beside them, which d2l ignores, hold the tokeniser and the number
    of attention heads. d2l's BERTModel loads a file with both pretraining heads, its chapter's classifier a
    file with classes. The model must be of d2l's flavour, which ``Format.write`` checks. InputError where it
    does not have two segments, or a token id is unused.
    """
    if weights.parts.size.segments != 2:
        what = f"d2l's BERT has 2 segments, but this model {weights.parts.size.segments}"
        raise InputError(f"{folder}: {what}; write Hugging Face's format")
    by_id = {number: word for word, number in tokenizer.get_vocab().items()}
    check_vocabulary(max(by_id), weights.parts.vocabulary, folder, padded=False)
    if len(by_id) <= max(by_id):
        raise InputError(f"{folder}: {VOCABULARY} cannot have unused ids; write Hugging Face's format")
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / MARK) as temporary:
        torch.save(lay_out(weights, _place), temporary)
    with atomic_write(folder / VOCABULARY) as temporary:
        temporary.write_text(json.dumps([by_id[number] for number in range(len(by_id))]))
    with atomic_write(folder / TOKENIZER) as temporary:
        tokenizer.save(str(temporary))
    write_json(folder / OURS, {"heads": weights.parts.size.heads})
