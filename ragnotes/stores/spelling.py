"""Words of a question that occur nowhere: what was meant, told from the words that do occur.

Short words, and whatever holds a digit, are left as they are: `GPT-5` is no slip of `GPT-4`. A word that occurs in any
inflection is none of this module's business.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from ragnotes.languages import FUNCTION_WORDS
from ragnotes.stores.rows import Query, in_one_row

__all__ = ["Spelled", "respelled", "slips"]

Spelled = dict[str, list[tuple[str, int]]]
"""Words by their first two letters, each with the number of chunks that hold it, as far as they were read."""

MAX_UNKNOWN = 3
"""Words of one question that are looked into: each reads a part of the vocabulary."""
MIN_LENGTH = 4
MAX_LENGTH = 40
NEAREST = 2

SPELLED_LIKE = """
    SELECT term, doc FROM vocabulary WHERE term >= ?1 AND term < ?1 || char(0x10FFFF) AND length(term) BETWEEN ?2 AND ?3
"""
"""FTS5 walks through the passages of each word to count them: in a million that takes 7 ms for two letters."""


def respelled(query: Query, occurs: Callable[[str], bool], words: Sequence[str], spelled: Spelled) -> list[str]:
    """For each word that occurs nowhere what is nearest to it and occurs: two words it may be cut into, or others.

    Costs next to nothing where all words are known. What is read of the vocabulary is added to `spelled`.
    """
    unknown = [word for word in dict.fromkeys(words) if _may_be_a_slip(word) and not occurs(word)]

    def beginning(letters: str) -> list[tuple[str, int]]:
        if letters not in spelled:
            found = in_one_row(query, SPELLED_LIKE, ("term", "doc"), (letters, MIN_LENGTH - 1, MAX_LENGTH + 2))
            spelled[letters] = [(term, chunks) for term, chunks in found]
        return spelled[letters]

    return [found for word in unknown[:MAX_UNKNOWN] for found in _cut_in_two(occurs, word) or _nearest(beginning, word)]


def _may_be_a_slip(word: str) -> bool:
    """Whether it is long enough, of letters alone, in writing that has capitals and so spells by letters."""
    return MIN_LENGTH <= len(word) <= MAX_LENGTH and word.isalpha() and word.lower() != word.upper()


def _cut_in_two(occurs: Callable[[str], bool], word: str) -> list[str]:
    cuts = [(word[:cut], word[cut:]) for cut in range(2, len(word) - 1)]
    phrases = [" ".join(cut) for cut in cuts if not FUNCTION_WORDS["en"].intersection(cut)]
    return [phrase for phrase in phrases if occurs(phrase)]


def _nearest(beginning: Callable[[str], list[tuple[str, int]]], word: str) -> list[str]:
    """At most two words, the fewest slips away, those that more chunks hold first."""
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(mark))
    letters = set(plain)
    most = 2 if len(plain) >= 9 else 1
    found: list[tuple[int, int, str]] = []
    for prefix in sorted({plain[:2], plain[0] + plain[2]}):  # also where the first letters were swapped or doubled
        for other, chunks in beginning(prefix):
            if abs(len(other) - len(plain)) > most or len(letters.symmetric_difference(other)) > 2 * most:
                continue
            if (count := slips(plain, other, most)) <= most:
                found.append((count, -chunks, other))
    if len(plain) < 6:  # a mistaken letter makes another word of a short one: "steam", "stem"
        found = [each for each in found if sorted(each[2]) == sorted(plain)]
    return [other for count, _, other in sorted(found) if count == min(found)[0]][:NEAREST]


def slips(left: str, right: str, most: int) -> int:
    """The letters left out, put in, mistaken, or swapped with their neighbour between two words; over `most`, any more.

    Source: Damerau, "A technique for computer detection and correction of spelling errors", CACM 1964.
    """
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    left, right = left[start:], right[start:]
    while left and right and left[-1] == right[-1]:
        left, right = left[:-1], right[:-1]
    if not left or not right or most == 0:
        return max(len(left), len(right))
    ways = [(left[1:], right), (left, right[1:]), (left[1:], right[1:])]
    if left[:2] == right[1::-1]:
        ways.append((left[2:], right[2:]))
    return 1 + min(slips(*way, most - 1) for way in ways)
