"""Tokenisers of every kind, and real pairs of texts. No test here may ask a hub for anything."""

import csv
import os
from itertools import islice

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

os.environ["HF_HUB_OFFLINE"] = "1"  # read once, when huggingface_hub is imported

TEXT = "a man with two dogs is walking on the street while someone else sleeps"
SPECIAL = ["<s>", "</s>", "<pad>", "<unk>"]
MARKS = [("<s>", 0), ("</s>", 1)]

# What stands around texts: names as in the families that do so.
PROCESSORS = {
    "roberta": processors.RobertaProcessing(("</s>", 1), ("<s>", 0)),
    "gpt": processors.ByteLevel(trim_offsets=False),
    "t5": processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", MARKS),
    "llama": processors.TemplateProcessing("<s> $A", "<s> $A <s>:1 $B:1", MARKS),
    "reversed": processors.TemplateProcessing("$A <s>", "</s>:2 <s> $B:1 </s> $A:0 </s>:3", MARKS),
    "nothing": None,
}


@pytest.fixture
def bert(bert_vocabulary):
    """BERT's tokeniser, uncased."""
    from transformers import BertTokenizer

    return BertTokenizer(str(bert_vocabulary))


@pytest.fixture(params=PROCESSORS)
def byte_level(request):
    """A byte-level BPE tokeniser with one of several ways to put special tokens around texts."""
    return make_byte_level(request.param)


def make_byte_level(kind, **options):
    """The same by name; options are those of PreTrainedTokenizerFast."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT] * 2, trainer)
    if PROCESSORS[kind] is not None:
        tokenizer.post_processor = PROCESSORS[kind]
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **{**names, **options})


@pytest.fixture(scope="session")
def byte_level_of():
    """byte_level_of(kind, **options): a byte-level BPE tokeniser by name."""
    return make_byte_level


@pytest.fixture
def snli_texts(shared_data):
    """Premises and hypotheses of every fifth row of SNLI's test split, rows without a gold label too."""
    path = shared_data / "snli" / "snli_1.0" / "snli_1.0_test.txt"
    rows = [line.split("\t")[5:7] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(rows) == 10_000
    return tuple(map(list, zip(*rows[::5], strict=True)))


@pytest.fixture
def fnc_texts(shared_data):
    """The headlines and the articles of 300 rows of FNC-1."""
    folder = shared_data / "fnc-1"
    if not folder.is_dir():
        pytest.skip(f"no {folder}; name its folder's parent in TRIMTAB_DATA")
    with open(folder / "train_bodies.csv", encoding="utf-8", newline="") as file:
        bodies = {row["Body ID"]: row["articleBody"] for row in csv.DictReader(file)}
    with open(folder / "train_stances.csv", encoding="utf-8", newline="") as file:
        rows = list(islice(csv.DictReader(file), 300))
    assert len(rows) == 300
    return [row["Headline"] for row in rows], [bodies[row["Body ID"]] for row in rows]
