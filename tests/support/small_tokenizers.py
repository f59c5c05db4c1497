"""Small tokenisers of every kind, trained on a few sentences, each with the template of its family."""

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

SENTENCES = [
    "A man with two dogs is walking on the street while someone else sleeps.",
    "Two dogs are running; nobody sleeps.",
    "Children are playing in the park, and a woman is reading a book.",
    "The woman reads a book about dogs in the street.",
    "An old man sells fruit at the market on Sunday.",
    "Nobody is at the market: it is raining.",
] * 3
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def wordpiece(size=300):
    """BERT's kind: WordPiece, lowercased, ``[CLS] A [SEP] B [SEP]``."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=BERT, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = template("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", tokenizer)
    return tokenizer


def byte_level(size=400):
    """RoBERTa's kind: byte-level BPE, ``<s> A </s></s> B </s>``."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=ROBERTA,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def unigram(size=120):
    """XLM-R's kind: Unigram over words that begin with a mark, ``<s> A </s> </s> B </s>``."""
    tokenizer = Tokenizer(models.Unigram())
    split, mark = pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, mark])
    trainer = trainers.UnigramTrainer(
        vocab_size=size, special_tokens=ROBERTA, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = template("<s> $A </s>", "<s> $A </s> </s> $B </s>", tokenizer)
    return tokenizer


def own():
    """Word pieces in a template of nobody's: tokens before, between and after; segment 1 begins between."""
    tokenizer = wordpiece()
    pair = "[CLS] [MASK] $A [SEP] [MASK]:1 $B:1 [SEP]:1 [SEP]:1 [CLS]:1"
    tokenizer.post_processor = template("[CLS] $A [SEP] [MASK]:1", pair, tokenizer)
    return tokenizer


def template(single, pair, tokenizer):
    """The post-processor of that template, with the tokeniser's own ids."""
    names = {word.split(":")[0] for word in f"{single} {pair}".split() if not word.startswith("$")}
    special = [(name, tokenizer.token_to_id(name)) for name in sorted(names)]
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=special)


KINDS = {"wordpiece": wordpiece, "byte_level": byte_level, "unigram": unigram, "own": own}
