"""Figures in README and docs/ that no study or benchmark of results/ measured: where, the words, and why."""

_LEVEL = "a level that is set, and nothing measured"
_NAME = "a version, part of a name"
_TUTORIAL = "a figure of the tutorial, quoted"
_BIN = "a range of chances"
_DESIGN = "the design of the study, which its file says"

EXCEPTIONS = [
    ("README.md", "95 % intervals", _LEVEL),
    ("README.md", "(95 % interval)", _LEVEL),
    ("README.md", "Python 3.11", _NAME),
    ("docs/clusters.md", "(Slurm 22.05, submitit 1.5.4, Ray 2.60)", _NAME),
    ("docs/datasets.md", "CoLA 1.1", _NAME),
    ("docs/performance.md", "transformers 5.23", _NAME),
    ("docs/pretraining.md", "gives 5.27 over all steps in its average, 7.0 over", _TUTORIAL),
    ("docs/pretraining.md", "batches, and 0.764 for", _TUTORIAL),
    ("docs/pretraining.md", "the tutorial's 5.27", _TUTORIAL),
    ("docs/pretraining.md", "at chance (0.693)", "the logarithm of 2"),
    ("docs/results.md", "95 % intervals", _LEVEL),
    ("docs/results.md", "+head_tail(head=0.5)", "an option of a strategy"),
    ("docs/results.md", "CoLA 1.1", _NAME),
    ("docs/results.md", "the label-prior baseline has 25.0 %", "one of four labels, by macro F1"),
    (
        "docs/results.md",
        "are 65.2 % (the data set's own paper) and 83.4 to 92.0 % since",
        "published, quoted",
    ),
    ("docs/results.md", "d2l's chapter reports 78.6 %", _TUTORIAL),
    ("docs/statistics.md", "at 95 %", _LEVEL),
    ("docs/statistics.md", "simulated, 95 % intervals", _LEVEL),
    ("docs/statistics.md", "as the lowest 30 % of such", "the quantile that the degrees of freedom rest on"),
    ("docs/statistics.md", "still permits up to 71 %", "1 - 0.025^(1/3)"),
    ("docs/statistics.md", "noise of 0.1 and 0.8 points", _DESIGN),
    ("docs/statistics.md", "seeds spread by 0.8 to 2 points", _DESIGN),
    ("docs/statistics.md", "a chance of 80 %", _LEVEL),
    ("docs/statistics.md", "2, 3, 5 and 10 seeds; 1,000 and 9,824 examples", _DESIGN),
    ("docs/statistics.md", "noise of 0.1 to 2 points; 1, 5 and 11", _DESIGN),
    ("docs/statistics.md", "a chance of less than 10 %", _LEVEL),
    ("docs/statistics.md", "with a seed noise of 0.1 to 2 points", _DESIGN),
    ("docs/statistics.md", "a seed noise of 0.4 points", _DESIGN),
    ("docs/statistics.md", "a nominal 5 %", _LEVEL),
    ("docs/statistics.md", "on each test set with 80 % power", _LEVEL),
    ("docs/statistics.md", "number of seeds on 10,000 rows", "an example, by statistics.smallest_margin"),
    ("docs/statistics.md", "rows can show with 80 % power", _LEVEL),
    ("docs/statistics.md", "| under 20 % |", _BIN),
    ("docs/statistics.md", "| 20 to 40 % |", _BIN),
    ("docs/statistics.md", "| 40 to 60 % |", _BIN),
    ("docs/statistics.md", "| 60 to 80 % |", _BIN),
    ("docs/statistics.md", "| 80 % or more |", _BIN),
    ("docs/statistics.md", "with three seeds and 2,000 examples", _DESIGN),
    (
        "docs/statistics.md",
        "noise of 0.1 points | false, 0.8 points | false, 2 points | found, 0.8 points",
        _DESIGN,
    ),
]
