"""The studies whose time to a verdict is measured."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

QUICKSTART = (ROOT / "studies" / "quickstart.toml").read_text()

# A hundred trials of about a second: what a user tries first with data of their own.
SHORT = """\
question = "How much of the time of short trials is training?"
[data]
reader = "probe"
train = 1000
test = 300
first_length = [12, 24]
second_length = [4, 9]
[base]
size = "2x64/128/2"
precision = "fp32"
epochs = 2
[grid]
truncation = ["longest_first", "longest_first+tail", "ratio", "ratio+tail", "only_first"]
max_len = [16, 20]
seeds = 10
"""

# Fine-tuning a pretrained model, whose trials take minutes.
MINILM = """\
question = "How much of the time of fine-tuning is training?"
[data]
reader = "probe"
train = 600
test = 200
first_length = [12, 24]
second_length = [4, 9]
[base]
weights = "minilm"
epochs = 2
[grid]
truncation = ["longest_first", "ratio"]
max_len = [20]
seeds = 2
"""

STUDIES = {"quickstart": QUICKSTART, "short": SHORT, "minilm": MINILM}
