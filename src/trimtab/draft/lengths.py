"""A first choice of max_len and of strategies, from the audit of a table's texts."""

from dataclasses import dataclass

from trimtab.data.dataset import Texts
from trimtab.plan.audit import UNCUT_SHARES, Audited, audit_texts
from trimtab.plan.cuts import lengths_of
from trimtab.truncation import parse
from trimtab.truncation.profile import LengthSummary, length_summary, shortest_uncut

POSITIONS = 512  # of the usual encoders: no max_len can be longer
_SHORT = 32  # tokens: rows that all are so short are cut by no usual max_len
_LEAST_OF_A_TEXT = 2  # tokens of each text that a max_len must have room for
_NEAR = 0.85  # two lengths nearer than this ratio are one
_LONGER = 1.5  # how many times as long one text must be to be the one that is cut alone

PAIR_STRATEGIES = ("longest_first", "ratio")
SINGLE_STRATEGIES = ("longest_first", "longest_first+tail", "longest_first+head_tail")


@dataclass(frozen=True)
class Choice:
    """What a study compares at first.

    uncut: by share of rows, the smallest max_len that leaves them whole; cut: by max_len, the share of rows
    that it cuts; tokens: by max_len, the mean tokens of a row; summary: lengths before any cut.
    """

    truncations: tuple[str, ...]
    lengths: tuple[int, ...]
    uncut: dict[float, int]
    cut: dict[int, float]
    tokens: dict[int, float]
    summary: LengthSummary
    audited: Audited

    @property
    def reasons(self) -> list[str]:
        """Sentences on the lengths of rows, and on what was chosen."""
        shares = ", ".join(f"{100 * share:g} % uncut from max_len {n} on" for share, n in self.uncut.items())
        longest, median = self.summary.longest, f"{self.summary.median:g}"
        found = [f"lengths: median {median} tokens, longest {longest:,}; {shares}"]
        cuts = ", ".join(f"{length} cuts {100 * self.cut[length]:.0f} % of rows" for length in self.lengths)
        found.append(f"max_len: {cuts}; strategies: {', '.join(self.truncations)}")
        if longest <= _SHORT:
            found.append(
                f"nothing is ever cut at a usual max_len such as 64: no row has more than {longest} tokens; "
                "the study asks what shorter lengths would cost"
            )
        elif self.uncut[UNCUT_SHARES[-1]] > POSITIONS:
            found.append(f"rows beyond {POSITIONS} tokens, the most that usual encoders read, are always cut")
        return found


def choose(texts: Texts) -> Choice:
    """Lengths and strategies for a table: where nearly all rows are whole, and shorter, where cuts hurt."""
    tokens = texts.tokens
    special = texts.template.row(tokens.texts).count
    first, second = lengths_of(tokens)
    uncut = shortest_uncut(first, second, special, UNCUT_SHARES)
    truncations = (
        SINGLE_STRATEGIES if second is None else _for_pairs(float(first.mean()), float(second.mean()))
    )
    most, nearly_all = uncut.values()
    lengths = _lengths(most, nearly_all, special + _LEAST_OF_A_TEXT * tokens.texts)
    audited = audit_texts(texts, [parse(spec) for spec in truncations], lengths)
    cut, kept = {}, {}
    for length, row in zip(lengths, audited.rows, strict=False):  # those of the first strategy come first
        cut[length], kept[length] = row.audit.cut, row.tokens or 0.0
    summary = length_summary(first, second, special)
    return Choice(truncations, lengths, uncut, cut, kept, summary, audited)


def _for_pairs(first: float, second: float) -> tuple[str, ...]:
    """Both sides cut, and the longer alone; its end kept too where it is much longer than the other."""
    longer, ratio = ("first", first / second) if first > second else ("second", second / first)
    alone = f"only_{longer}(otherwise=longest_first)"
    return (*PAIR_STRATEGIES, alone + "+head_tail" * (ratio >= _LONGER))


def _lengths(most: int, nearly_all: int, least: int) -> tuple[int, ...]:
    """Up to three values of max_len, rising: what leaves nearly all rows whole, and shorter ones."""
    longest, middle = min(nearly_all, POSITIONS), min(most, POSITIONS)
    shorter = (middle // 2, middle // 4 if middle > _NEAR * longest else middle)
    return tuple(sorted({longest, *(min(longest, max(least, length)) for length in shorter)}))
