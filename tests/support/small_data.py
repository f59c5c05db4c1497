"""A data set for tests, without a study: the splits of a plan, read and tokenised."""

from trimtab.data.dataset import build_tokenizer, read_splits, tokenised


def dataset_of(plan, root=None):
    """The Dataset of a DataPlan; ``root`` is the folder that holds the data."""
    examples = read_splits(plan, root)
    return tokenised(plan.tokenizer, build_tokenizer(plan, examples["train"], root), examples, root)
