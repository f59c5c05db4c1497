"""The readers there are, and of each data set: columns, labels, metric, clusters, licence, origin."""

from trimtab.data import boolq, cola, fnc1, glue, hub, probe, snli, table
from trimtab.data.reader import Facts, Reader

READERS = {
    "probe": Reader(
        read=probe.read,
        options=probe.Options,
        text_forms=("parse", "sentence"),
        facts={
            "probe": Facts(
                what="made by the program: one decisive word a text, so that what a cut costs is known",
                columns="first and second: texts of words, label; the place of each decisive word is known",
                labels=", ".join(probe.LABELS),
                metric="accuracy",
                clusters="each row its own",
                rows="by options: train 12,000, validation 2,000, test 2,000",
                licence="MIT, as trimtab",
                origin="nothing to fetch",
            )
        },
    ),
    "snli": Reader(
        read=snli.read,
        options=snli.Options,
        text_forms=("parse", "sentence"),
        facts={
            "snli": Facts(
                what="Stanford Natural Language Inference: does a sentence follow from a picture's caption?",
                columns="first: sentence1, second: sentence2, label: gold_label ('-' for none)",
                labels=", ".join(snli.LABELS),
                metric="accuracy",
                clusters="the premise",
                rows="train 549,367, validation 9,842, test 9,824",
                licence="CC BY-SA 4.0",
                origin=snli.OFFICIAL.url,
            )
        },
    ),
    "cola": Reader(
        read=cola.read,
        options=cola.Options,
        text_forms=("sentence", "parse"),
        splits=cola.SPLITS,
        own_validation=False,
        facts={
            "cola": Facts(
                what="Corpus of Linguistic Acceptability 1.1: is a sentence grammatical? A single text",
                columns="first: the fourth, label: the second (0, 1); no header",
                labels=", ".join(cola.LABELS.values()),
                metric="Matthews correlation",
                clusters="the sentence, as a few stand there twice",
                rows="train 8,551, in_domain_dev = validation 527, out_of_domain_dev = test 516",
                licence="none stated",
                origin=cola.ORIGIN,
            )
        },
    ),
    "glue": Reader(
        read=glue.read,
        options=glue.Options,
        text_forms=("sentence",),
        splits=glue.SPLITS,
        own_validation=False,
        facts={name: task.facts for name, task in glue.TASKS.items()},
    ),
    "fnc1": Reader(
        read=fnc1.read,
        options=fnc1.Options,
        text_forms=("sentence",),
        splits=fnc1.SPLITS,
        own_validation=False,
        facts={
            "fnc1": Facts(
                what="Fake News Challenge, stage 1: where does a headline stand to the body of an article?",
                columns="first: Headline, second: articleBody, joined on Body ID, label: Stance",
                labels=", ".join(fnc1.LABELS),
                metric="weighted score (fnc1), macro F1",
                clusters="the body, by its text; headlines recur over bodies",
                rows="train 49,972 on 1,683 bodies (1,669 texts), test 25,413 on 904 (900); 10 texts in both",
                licence="none stated",
                origin=fnc1.ORIGIN,
            )
        },
    ),
    "boolq": Reader(
        read=boolq.read,
        options=boolq.Options,
        text_forms=("sentence",),
        own_validation=False,
        facts={
            "boolq": Facts(
                what="BoolQ: is the answer to a question, with a passage that tells, yes?",
                columns="first: question, second: passage, label: answer, else label (true, false)",
                labels=", ".join(boolq.LABELS),
                metric="accuracy",
                clusters="the passage",
                rows="train 9,427, validation = test 3,270",
                licence="CC BY-SA 3.0",
                origin=boolq.ORIGIN,
            )
        },
    ),
    "table": Reader(
        read=table.read,
        options=table.Options,
        text_forms=("sentence", "parse"),
        splits=None,
        facts={
            "table": Facts(
                what="a file of yours: CSV, tab-separated, JSON lines or Parquet, pairs or single texts",
                columns="those that 'first', 'second', 'label' and 'cluster' name",
                labels="those of the file, or of 'labels'",
                metric="the study's",
                clusters="the column 'cluster', else each row its own",
                rows="those of the file, whatever the split is called",
                licence="yours",
                origin="yours",
            )
        },
    ),
    "hub": Reader(
        read=hub.read,
        options=hub.Options,
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
    ),
}
