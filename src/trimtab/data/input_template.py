"""Input templates: which special tokens a tokeniser puts around one text and around a pair, by their ids."""

from dataclasses import dataclass
from itertools import groupby

from tokenizers import Encoding, Tokenizer, models, pre_tokenizers, processors

from trimtab.config import InputError
from trimtab.data.tokenizer import SpecialTokens, special_tokens
from trimtab.truncation.spec import no_room

_MEND = "use another tokenizer"
SPECIAL = -1
_SAMPLES = ("a a", "b b")  # two tokens each, so that a text that is taken apart is noticed


@dataclass(frozen=True)
class Row:
    """The special tokens of a row of one text or of two, and where its segment 1 begins.

    special: ids before the first text, after it, and after the second, where there is one. Segment 0 is the
    row's first ``special_of_0`` special tokens and its first ``texts_of_0`` texts; all of them where the row
    has one segment.
    """

    special: tuple[tuple[int, ...], ...]
    special_of_0: int
    texts_of_0: int

    @property
    def count(self) -> int:
        """Special tokens in the row."""
        return sum(map(len, self.special))

    @property
    def segments(self) -> int:
        """Segments that a model must know: 2 where a token type is 1, else 1."""
        return 1 if self == self.one_segment else 2

    @property
    def one_segment(self) -> "Row":
        """The same row for a model that is not told which text a token belongs to."""
        return Row(self.special, self.count, len(self.special) - 1)


@dataclass(frozen=True)
class InputTemplate:
    """Where a tokeniser puts its special tokens: the rows of single texts, and those of pairs."""

    single: Row
    pair: Row

    def row(self, texts: int) -> Row:
        """The rows of one text, or of two."""
        return self.single if texts == 1 else self.pair

    @property
    def ids(self) -> frozenset[int]:
        """The ids of all its special tokens."""
        return frozenset(
            number for row in (self.single, self.pair) for piece in row.special for number in piece
        )

    def budget(self, max_len: int, texts: int) -> int:
        """Tokens left for one text, or for two; InputError where the special ones exceed max_len."""
        special = self.row(texts).count
        if max_len < special:
            raise no_room(max_len, special)
        return max_len - special

    @property
    def segments(self) -> int:
        """Segments that a model must know for every row: 1 or 2."""
        return max(self.single.segments, self.pair.segments)

    @property
    def one_segment(self) -> "InputTemplate":
        """The same for a model that is not told which text a token belongs to."""
        return InputTemplate(single=self.single.one_segment, pair=self.pair.one_segment)

    def post_processor(self, tokenizer: Tokenizer) -> processors.PostProcessor:
        """The post-processor that puts these special tokens around the texts of ``tokenizer``."""
        special = [
            {"id": f"token{number}", "ids": [number], "tokens": [str(tokenizer.id_to_token(number))]}
            for number in sorted(self.ids)
        ]
        single, pair = _pieces(self.single), _pieces(self.pair)
        made = processors.TemplateProcessing(single=single, pair=pair, special_tokens=special)
        if not isinstance(tokenizer.pre_tokenizer, pre_tokenizers.ByteLevel):
            return made
        return processors.Sequence(
            [processors.ByteLevel(), made]
        )  # which leaves blanks out of tokens' places

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "InputTemplate":
        """The template of a tokeniser, as its post-processor has it.

        Without one, or with one that only aligns byte-level offsets, it is BERT's with the vocabulary's own
        names, see ``special_tokens``. InputError where our rows cannot hold what the post-processor does, or
        where the vocabulary has no such names.
        """
        post = tokenizer.post_processor
        if post is None or isinstance(post, processors.ByteLevel):
            return bert_template(special_tokens(tokenizer))
        made = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
        made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        made.post_processor = post
        try:
            single, pair = made.encode(_SAMPLES[0]), made.encode(*_SAMPLES)
        except BaseException as error:  # where a template names tokens that it does not have, Rust panics
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise InputError(
                f"the tokenizer's template cannot be applied ({error}); save it again"
            ) from error
        return cls(_row(single, 1), _row(pair, 2))


def bert_template(special: SpecialTokens) -> InputTemplate:
    """BERT's template: ``cls A sep`` and ``cls A sep B sep``, of which ``B sep`` is segment 1."""
    cls, sep = (special.cls,), (special.sep,)
    return InputTemplate(single=Row((cls, sep), 2, 1), pair=Row((cls, sep, sep), 2, 1))


def _row(encoding: Encoding, texts: int) -> Row:
    """The row that a post-processor made of the samples; InputError where it is none of ours."""
    mask, types = encoding.special_tokens_mask, encoding.type_ids
    sides = [SPECIAL if special else side for special, side in zip(mask, encoding.sequence_ids, strict=True)]
    order = [side for side, _ in groupby(sides) if side != SPECIAL]
    if order != list(range(texts)) or len(sides) - sum(mask) != 2 * texts:
        raise _unlike(texts, "has the texts in another order, or one of them not exactly once")
    if types != sorted(types) or not set(types) <= {0, 1}:
        raise _unlike(texts, f"has the token types {' '.join(map(str, types))}, not zeros and then ones")
    special: list[tuple[int, ...]] = [()]
    for side, part in groupby(zip(sides, encoding.ids, strict=True), key=lambda token: token[0]):
        if side != SPECIAL:
            special.append(())
        else:
            special[-1] = tuple(number for _, number in part)
    of_0 = sides[: types.count(0)]
    return Row(tuple(special), of_0.count(SPECIAL), len(set(of_0) - {SPECIAL}))


def _pieces(row: Row) -> list[str]:
    """A row as a template of the Rust library: names of special tokens and texts, with their token types."""
    pieces, special = [], 0
    for number, tokens in enumerate(row.special):
        for token in tokens:
            pieces.append(f"token{token}:{int(special >= row.special_of_0)}")
            special += 1
        if number + 1 < len(row.special):
            pieces.append(f"${'AB'[number]}:{int(number >= row.texts_of_0)}")
    return pieces


def _unlike(texts: int, what: str) -> InputError:
    rows = "a pair" if texts == 2 else "a single text"
    return InputError(f"the tokenizer's template for {rows} {what}, which rows here cannot hold; {_MEND}")
