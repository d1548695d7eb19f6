"""How often the verifier is right: about true and perturbed answers, and about claims with human labels."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality.perturbation import FORMS, Case, Cited
from benchmarks.quality.sets import rows
from ragnotes.answers import Evidence, Hit, Support
from ragnotes.asking.verification import Claim, verify
from ragnotes.asking.words import content_stems
from ragnotes.ports import Embedder
from ragnotes.types import Chunk, Kind, Place, Source, Unit

__all__ = ["Labelled", "Rates", "Share", "Verify", "judge", "labelled_claims", "milliseconds_of_six", "overlap"]

Verify = Callable[[Sequence[Claim]], list[Support]]
SEED = 20_261_121
MOST_FALSE_ALARMS = 0.10


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    got: int
    of: int

    def __str__(self) -> str:
        return f"{self.got / self.of:.3f} ({self.got} of {self.of})" if self.of else "- (0)"


@dataclass(frozen=True, slots=True)
class Rates:
    """Perturbed answers caught, by kind; true answers called not supported, by the form of the claim."""

    caught: Mapping[str, Share]
    false_alarms: Mapping[str, Share]

    @property
    def all_caught(self) -> Share:
        return _sum(self.caught)

    @property
    def all_false_alarms(self) -> Share:
        return _sum(self.false_alarms)


def judge(cases: Sequence[Case], verifiers: Mapping[str, Verify]) -> tuple[Rates, Rates, float]:
    """The rates of the verifiers by source of the cases, those of word overlap, and the overlap that it asks for.

    An answer is caught if no sentence that was made false passes for supported, and a true one is a false alarm if any
    of its sentences does not. Word overlap asks for as much as leaves it at most one false alarm in ten.
    """
    by_verifier = [_passes(case, verifiers[case.source]) for case in cases]
    overlaps = [([overlap(c) for c in case.true], [overlap(c) for c in case.false]) for case in cases]
    floor = _overlap_asked_for([min(true) for true, _ in overlaps])
    by_overlap = [([o >= floor for o in true], [o >= floor for o in false]) for true, false in overlaps]
    return _rates(cases, by_verifier), _rates(cases, by_overlap), floor


def overlap(cited: Cited) -> float:
    """The share of the claim's words of content that the cited span holds."""
    words = content_stems(cited.text)
    held = set(content_stems(cited.evidence.unit.plain))
    return sum(word in held for word in words) / len(words) if words else 0.0


def _passes(case: Case, check: Verify) -> tuple[list[bool], list[bool]]:
    true, false = (check([Claim(c.question, c.text, c.evidence) for c in side]) for side in (case.true, case.false))
    return [found is Support.SUPPORTED for found in true], [found is Support.SUPPORTED for found in false]


def _overlap_asked_for(lowest: Sequence[float]) -> float:
    """The highest share of words that at most one true answer in ten lacks."""
    return sorted(lowest)[math.floor(MOST_FALSE_ALARMS * len(lowest))] if lowest else 0.0


def _rates(cases: Sequence[Case], passed: Sequence[tuple[list[bool], list[bool]]]) -> Rates:
    caught: dict[str, list[bool]] = {}
    alarms: dict[str, list[bool]] = {form: [] for form in FORMS}
    for case, (true, false) in zip(cases, passed, strict=True):
        changed = [passes for passes, one, other in zip(false, case.true, case.false, strict=True) if one != other]
        caught.setdefault(case.kind, []).append(not any(changed))
        alarms[case.form].append(not all(true))
    return Rates(
        {kind: Share(sum(found), len(found)) for kind, found in caught.items()},
        {form: Share(sum(found), len(found)) for form, found in alarms.items() if found},
    )


def _sum(shares: Mapping[str, Share]) -> Share:
    return Share(sum(share.got for share in shares.values()), sum(share.of for share in shares.values()))


def milliseconds_of_six(cases: Sequence[Case], check: Verify, *, times: int = 30) -> list[float]:
    """How long it takes to verify six citations at once, `times` times, in milliseconds."""
    claims = [Claim(c.question, c.text, c.evidence) for case in cases for c in (*case.true, *case.false)]
    check(claims[:6])  # the first call loads what it needs
    taken = []
    for start in range(0, min(6 * times, len(claims) - 5), 6):
        began = time.perf_counter()
        check(claims[start : start + 6])
        taken.append((time.perf_counter() - began) * 1000)
    return taken


@dataclass(frozen=True, slots=True)
class Labelled:
    """What became of claims by their label: how many had each verdict, and how many word overlap called supported."""

    verdicts: Mapping[str, Mapping[Support, int]]
    overlapping: Mapping[str, int]
    floor: float

    def agreement(self) -> tuple[Share, Share]:
        """How often the verifier, and word overlap, call exactly the claims supported that the label does."""
        of = {label: sum(found.values()) for label, found in self.verdicts.items()}
        mine = {label: found.get(Support.SUPPORTED, 0) for label, found in self.verdicts.items()}
        return _agreeing(mine, of), _agreeing(self.overlapping, of)

    def right_when_supported(self) -> tuple[Share, Share]:
        """How many of the claims that the verifier, and word overlap, call supported have that label."""
        called = sum(found.get(Support.SUPPORTED, 0) for found in self.verdicts.values())
        mine = self.verdicts.get("SUPPORTS", {}).get(Support.SUPPORTED, 0)
        overlapping = self.overlapping.get("SUPPORTS", 0)
        return Share(mine, called), Share(overlapping, sum(self.overlapping.values()))


def _agreeing(supported: Mapping[str, int], of: Mapping[str, int]) -> Share:
    right = sum(supported[label] if label == "SUPPORTS" else of[label] - supported[label] for label in of)
    return Share(right, sum(of.values()))


def labelled_claims(data: Path, embedder: Embedder, *, number: int) -> Labelled:
    """Claims about abstracts, each with the best verdict that a sentence of its abstract gives it.

    Word overlap asks for the share of words with which it agrees best with the labels, chosen on these very claims.
    """
    pairs = random.Random(SEED).sample(found := rows(data / "claims" / "scifact_pairs.jsonl"), min(number, len(found)))
    rarity = _rarity([str(pair["abstract_sentences"]) for pair in found])
    verdicts: dict[str, Counter[Support]] = {}
    overlaps: list[tuple[str, float]] = []
    for pair in pairs:
        label, cited = str(pair["label"]), list(_sentences(pair))
        supports = verify([Claim(c.question, c.text, c.evidence) for c in cited], embedder, rarity)
        best = min(supports, key=list(Support).index)
        verdicts.setdefault(label, Counter())[best] += 1
        overlaps.append((label, max(overlap(one) for one in cited)))
    floor = max(sorted({share for _, share in overlaps}), key=lambda floor: _right(overlaps, floor))
    calls = Counter(label for label, share in overlaps if share >= floor)
    return Labelled(verdicts, {label: calls[label] for label in verdicts}, floor)


def _right(overlaps: Sequence[tuple[str, float]], floor: float) -> int:
    return sum((share >= floor) == (label == "SUPPORTS") for label, share in overlaps)


def _rarity(texts: Sequence[str]) -> dict[str, float]:
    counts = Counter(stem for text in texts for stem in set(content_stems(text)))
    return {stem: math.log(1 + (len(texts) - count + 0.5) / (count + 0.5)) for stem, count in counts.items()}


def _sentences(pair: Mapping[str, object]) -> Iterator[Cited]:
    """The claim beside each sentence of the abstract."""
    sentences = pair["abstract_sentences"]
    assert isinstance(sentences, list)
    source = Source(str(pair["doc_id"]), f"{pair['doc_id']}.md", str(pair["title"]), Kind.PAPER, "")
    passage = " ".join(map(str, sentences))
    chunk = Chunk("c", source.doc_id, 0, len(passage), passage, "", passage, Place())
    for sentence in map(str, sentences):
        unit = Unit(0, len(sentence), sentence)
        yield Cited("", str(pair["claim"]), Evidence(Hit(chunk, source, 1, 1, 1, 1), unit, sentence, 1, 1, 1, Place()))
