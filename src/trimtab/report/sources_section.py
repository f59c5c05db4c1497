"""What a report of predictions says of where they come from: files, options, and how to repeat it."""

from trimtab.analysis.analysis import Analysis
from trimtab.predictions.study import PredictedStudy
from trimtab.report.blocks import Section, bullets
from trimtab.report.escaping import as_markdown
from trimtab.report.scale import scale_named

_PATH = 400  # characters of a path that are shown
_KINDS = {"score": "scores", "prediction": "predicted classes", "probability": "probabilities of classes"}


def sources_section(analysis: Analysis, study: PredictedStudy) -> Section:
    """The files that were read, and how they were compared."""
    scale, settings = scale_named(study.compare.score), study.compare
    pairing = "paired by seed" if study.paired else "seeds are independent"
    margin = scale.amount(settings.margin)
    lines = [
        *(f"{as_markdown(path, _PATH)}: {rows:,} rows" for path, rows in study.files),
        f"read: {_KINDS[study.kind]}" + (", with clusters of examples" if study.clustered else ""),
        *([f"classes: {as_markdown(', '.join(study.labels), _PATH)}"] if study.labels else []),
        f"judged by {scale.name}, margin {margin}, alpha {settings.alpha:g}; {pairing}",
        *(f"analysed with: {as_markdown(str(one), _PATH)}" for one in analysis.signatures),
    ]
    words = (
        "Nothing is known of how the predictions were made but what these files say: no training, no costs, "
        "no seeds that failed."
    )
    return Section("provenance", "Where the predictions are from", [words, bullets(lines)], folded=True)
