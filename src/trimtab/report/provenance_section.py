"""What a report says of where its numbers come from: data, machine, versions and the study file."""

from collections.abc import Sequence

from trimtab.analysis.analysis import Analysis
from trimtab.data.dataset import Counts
from trimtab.ledger.records import RuntimeRecord, StudyRecord, VariantRecord
from trimtab.report.blocks import Block, Section, bullets, fenced
from trimtab.report.escaping import as_markdown
from trimtab.report.implementation_words import trained_words
from trimtab.study.grid import place_words


def _label_words(study: StudyRecord) -> str:
    return f"labels: {', '.join(study.labels)}" if study.labels else f"target: {study.target}"


def provenance_section(analysis: Analysis, study: StudyRecord) -> Section:
    """How the study was run, its file, and how to repeat it."""
    lines = [
        *(f"data: {_counts_words(counts)}" for counts in study.counts),
        *(f"excluded: {place_words(one.place)}: {one.because}" for one in study.excluded),
        f"{_label_words(study)}; {_vocabulary_words(study)}",
        *_started_from(study.variants),
        *trained_words(study.variants),
        f"device: {study.runtime.device}; measured precision: {_precision_words(study.runtime)}",
        *(f"trained with: {signature}" for signature in analysis.signatures),
    ]
    blocks: list[Block] = [
        bullets([as_markdown(line) for line in lines]),
        f"To repeat it, save the study file as {as_markdown(study.name)}.toml, and run it; trials that are "
        "finished are not trained again.",
        f"```text\ntrimtab run {study.name}.toml\n```",
        fenced(study.text.strip(), "toml"),
    ]
    return Section("provenance", "How it was run", blocks, folded=True)


def _counts_words(counts: Counts) -> str:
    repeated = f", {counts.repeated:,} of them also in train" if counts.repeated else ""
    dropped = f", {counts.dropped:,} left out" if counts.dropped else ""
    return f"{counts.split}: {counts.source}, {counts.rows:,} rows{repeated}{dropped}"


def _vocabulary_words(study: StudyRecord) -> str:
    sizes = [f"{name} {number:,} tokens" for name, number in study.vocabularies.items()]
    if len(sizes) > 1:
        return "vocabularies: " + ", ".join(sizes)
    [number] = study.vocabularies.values()
    return f"vocabulary: {number:,} tokens"


def _started_from(variants: Sequence[VariantRecord]) -> list[str]:
    """One line per set of pretrained weights."""
    lines = [
        weights_words(one.weights.name, one.size, one.weights.fingerprint) for one in variants if one.weights
    ]
    return list(dict.fromkeys(lines))


def weights_words(name: str, size: object, fingerprint: str, ignored: Sequence[str] = ()) -> str:
    """Pretrained weights: their name in the study, their size and fingerprint, and tensors not taken over."""
    words = f"weights {name}: {size}, fingerprint {fingerprint[:12]}"
    return f"{words}; not used: {', '.join(ignored)}" if ignored else words


def _precision_words(runtime: RuntimeRecord) -> str:
    words = (f"{value} for {kind}" for kind, value in runtime.precision.items())
    return "; ".join(words) or "none measured: every variant sets it"
