"""Whether the span that a sentence cites carries it: `supported`, `weak` or `unsupported`, without a model's call.

Three things must agree. What is exact: numbers with their units, dates, names, addresses, and what is denied. The
words, by their rarity in the notes: those that the question brought may stand in the passage around the span, all
others must stand in the span. And the meaning, by the embeddings of both. docs/quality.md has how often this is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice

from ragnotes.answers import Evidence, Support
from ragnotes.asking.attachment import attached_alike, names_of, words_of
from ragnotes.asking.denial import deny_alike, is_opposed, without_denials
from ragnotes.asking.evidence import question_weights
from ragnotes.asking.quantities import LONGEST, dates_agree, numbers_agree, without_dates, without_quantities
from ragnotes.asking.words import content_stems, stems
from ragnotes.ports import Embedder, Reading, Snapshot

__all__ = [
    "Agreement",
    "Checked",
    "Claim",
    "agreements",
    "is_refusal",
    "rarity_of",
    "verdict",
    "verifier",
    "verify",
    "without_foreign_urls",
]

NEW, ASKED, COSINE = 0.75, 0.4, 0.3
"""The least that a supported claim agrees in each; chosen on questions of squad that docs/quality.md does not count."""
WEAK_NEW = 0.5
"""A claim is weak where it agrees in all that is exact, and in this share of its words."""
PASSAGE_SHARE = 0.5
"""How much a word of the question counts that only the passage around the span holds."""
NEAR_SHARE, NEAR_LETTERS = 0.8, 5
"""How much a word counts of which the span holds another form, that begins with as many letters."""
MOST_URLS = 64
"""So many addresses of a text are looked for; the others count as held nowhere."""
MOST_ASKED, MOST_WORDS = 16, 512
"""So many names of a question are compared with so many words for a slip of the pen."""
LEAST_WEIGHT = 1.0
"""Of a word whose rarity is not known."""
LONG = 60
"""No name has so many letters."""
SLIP = 0.8
"""How much alike two spellings of one name are, where the question writes one of them."""

_REFUSAL = re.compile(
    r"\b(?:notes?|excerpts?)\b[^.]{0,80}\b(?:do|does|did) not (?:say|mention|hold|contain|specify)", re.I
)
_URL = re.compile(
    r"(?:\b\w{1,30}://|\bwww\."
    r"|(?<![\w-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.(?:[a-z]{2,24}/|(?:com|org|net|io|dev|ai|app|info|edu|gov)\b))"
    r"[^\s<>\"')\]]*",
    re.IGNORECASE,
)
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\(([^()\s]*+)[^()]*\)")
_ENDINGS = ("s", "es", "n", "en", "e", "er")
_SENTENCE_END = re.compile(r"[.!?][)\"”'’\]]*$")


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence of an answer with the evidence that carries it best.

    `also` is what else it rests on, as a total does; with `own_line` it is an item, and stands on a line of its own.
    """

    text: str
    evidence: Evidence
    support: Support
    also: tuple[Evidence, ...] = ()
    own_line: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer to `question`, and a piece of evidence that may carry it."""

    question: str
    text: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a claim agrees with its evidence; shares and the cosine of the two texts in [0, 1].

    `exact`: numbers, units, dates, names, addresses and denials. `attached`: no name or number stands where the
    evidence has another. `new`: of the words that the question did not bring, by rarity; `asked`: of those it did.
    """

    exact: bool
    attached: bool
    new: float
    asked: float
    cosine: float


def verify(claims: Sequence[Claim], embedder: Embedder, rarity: Mapping[str, float]) -> list[Support]:
    """How well each claim is carried by its evidence, in order. `rarity` weighs stems, as `rarity_of` gives it."""
    return [verdict(agreement) for agreement in agreements(claims, embedder, rarity)]


def verdict(found: Agreement) -> Support:
    """Supported where all agrees; unsupported where something exact does not, or most words are missing."""
    if not found.exact or found.new < WEAK_NEW:
        return Support.UNSUPPORTED
    whole = found.attached and found.new >= NEW and found.asked >= ASKED and found.cosine >= COSINE
    return Support.SUPPORTED if whole else Support.WEAK


def rarity_of(snapshot: Snapshot, texts: Iterable[str]) -> dict[str, float]:
    """The stems of the texts' words with their rarity in the notes."""
    return question_weights(snapshot, "\n".join(sorted(texts)))


def verifier(store: Reading, embedder: Embedder) -> Callable[[Sequence[Claim]], list[Support]]:
    """`verify` with the words' rarity in the notes of a store, as they are when it is called."""

    def call(claims: Sequence[Claim]) -> list[Support]:
        with store.reading() as snapshot:
            rarity = rarity_of(snapshot, {claim.text for claim in claims})
        return verify(claims, embedder, rarity)

    return call


def agreements(claims: Sequence[Claim], embedder: Embedder, rarity: Mapping[str, float]) -> list[Agreement]:
    """How each claim agrees with its evidence.

    Embedding is the dear part. So the cosine is 1.0 where the verdict does not hang on it: where something else does
    not agree, and where the claim is the span itself. The other texts are embedded once each, all in one batch.
    A claim of more than `LONGEST` characters agrees in nothing, and no more of its evidence is looked at.
    """
    claims = [_within_bounds(claim) for claim in claims]
    found = [_agreement_of_words(claim, rarity) for claim in claims]
    pairs = [(claim.text, claim.evidence.unit.plain) for claim in claims]
    hang = [n for n, (text, span) in enumerate(pairs) if text != span and verdict(found[n]) is Support.SUPPORTED]
    texts = list(dict.fromkeys(text for n in hang for text in pairs[n]))
    vectors = dict(zip(texts, embedder.embed_documents(texts), strict=True)) if texts else {}
    for n in hang:
        text, span = pairs[n]
        found[n] = replace(found[n], cosine=max(float(vectors[text] @ vectors[span]), 0.0))
    return found


def _agreement_of_words(claim: Claim, rarity: Mapping[str, float]) -> Agreement:
    """How the claim agrees in all but its meaning, which is taken to be the same."""
    words = _words_of(claim)
    new, asked = _shares(claim, words, rarity)
    exact = _exact(claim) and _holds_names(claim, words)
    return Agreement(exact, attached_alike(claim.text, claim.evidence.unit.plain), new, asked, 1.0)


def _within_bounds(claim: Claim) -> Claim:
    text = claim.text if len(claim.text) <= LONGEST else ""
    unit, chunk = claim.evidence.unit, claim.evidence.hit.chunk
    if max(len(unit.plain), len(unit.lead), len(chunk.plain), len(claim.question)) <= LONGEST:
        return replace(claim, text=text)
    hit = replace(claim.evidence.hit, chunk=replace(chunk, plain=chunk.plain[:LONGEST]))
    cut = replace(unit, plain=unit.plain[:LONGEST], lead=unit.lead[:LONGEST])
    return Claim(claim.question[:LONGEST], text, replace(claim.evidence, unit=cut, hit=hit))


def is_refusal(sentence: str) -> bool:
    """Whether the sentence says that the notes are silent."""
    return bool(_REFUSAL.search(sentence))


def without_foreign_urls(text: str, evidence: Sequence[Evidence]) -> str:
    """The text without addresses that stand in none of the evidence; links and images become their words."""
    links = {link[2] for link in _IMAGE_OR_LINK.finditer(text)}
    held = {url for url in islice(sorted({*links, *_URL.findall(text)}, key=len), MOST_URLS) if _is_held(url, evidence)}
    text = _IMAGE_OR_LINK.sub(lambda link: link[0] if link[2] in held else link[1], text)
    return " ".join(_URL.sub(lambda url: url[0] if url[0] in held else "", text).split())


def _exact(claim: Claim) -> bool:
    """Whether numbers, units, dates, addresses and denials agree."""
    item, around = claim.evidence, _around(claim.evidence)
    span = item.unit.plain
    if not content_stems(claim.text) or ("?" in span and "?" not in claim.text):  # a question is no fact
        return False
    urls = set(_URL.findall(claim.text))
    if len(urls) > MOST_URLS or not all(_is_held(url, [item]) for url in urls):
        return False
    dated, rest = dates_agree(claim.text, f"{span} | {around}", item.place.date)
    agree = dated and numbers_agree(rest, without_dates(span, item.place.date), without_dates(around, item.place.date))
    return agree and deny_alike(claim.text, span) and not is_opposed(claim.text, span)


def _words_of(claim: Claim) -> str:
    """The claim without what is compared exactly: dates, numbers with their units, addresses, and words that deny."""
    text = _URL.sub(" ", claim.text)
    _, text = dates_agree(text, f"{claim.evidence.unit.plain} | {_around(claim.evidence)}", claim.evidence.place.date)
    return without_denials(without_quantities(text))


def _is_held(url: str, evidence: Sequence[Evidence]) -> bool:
    """Whether some evidence holds the address whole, not as a part of another one."""
    bare = url.rstrip(".,;:!?)]/").removeprefix("https://").removeprefix("http://")
    whole = re.compile(rf"(?<![\w.-]){re.escape(bare)}/?(?![\w/?#=&%-]|\.\w)", re.IGNORECASE)
    return any(whole.search(f"{item.text} {' '.join(item.links)} {item.unit.shown}") for item in evidence)


def _around(item: Evidence) -> str:
    """What a reader of the span knows besides: what it stands under. When it was noted is no number of it."""
    return f"{item.unit.lead} | {item.place.heading or ''} | {item.hit.source.title}"[:LONGEST]


def _holds_names(claim: Claim, words: str) -> bool:
    """Whether the span or what is around it holds every name; the passage may hold one that the question brought."""
    here = words_of(f"{claim.evidence.unit.plain} {_around(claim.evidence)}")
    missing = [name for name in dict.fromkeys(names_of(words)) if name not in here]
    missing = [name for name in missing if not _inflected(name, here)]
    return len(missing) <= MOST_ASKED and all(_is_asked(name, claim, here) for name in missing)


def _inflected(name: str, here: Set[str]) -> bool:
    """Whether the name stands there with another ending: `Islamists`, and in German every noun is capitalised."""
    bare = [name.removesuffix(ending) for ending in _ENDINGS if name.endswith(ending)]
    forms = [f"{stem}{ending}" for stem in (name, *bare) if len(stem) >= NEAR_LETTERS - 1 for ending in ("", *_ENDINGS)]
    return any(form in here for form in forms)


def _is_asked(name: str, claim: Claim, here: Set[str]) -> bool:
    """Whether a name is the question's, and the passage holds it, or the span does but for a slip of the pen."""
    if name not in words_of(claim.question):
        return False
    if name in words_of(_passage(claim.evidence)):
        return True
    alike = sorted(word for word in here if SLIP * len(name) <= len(word) <= len(name) / SLIP and len(word) < LONG)
    return bool(get_close_matches(name, alike[:MOST_WORDS], 1, SLIP))


def _passage(item: Evidence) -> str:
    """The passage around a sentence, which may speak of what it names; a row or item says all by itself."""
    return item.hit.chunk.plain if _SENTENCE_END.search(item.unit.plain) and not item.unit.lead else ""


def _shares(claim: Claim, words: str, rarity: Mapping[str, float]) -> tuple[float, float]:
    """What the evidence holds of the claim's words, by rarity: of the new ones, and of the question's."""
    asked = set(content_stems(claim.question))
    here = _forms_of(stems(f"{claim.evidence.unit.plain} {_around(claim.evidence)}"))
    beside = _forms_of(stems(_passage(claim.evidence)))
    held, whole = {True: 0.0, False: 0.0}, {True: 0.0, False: 0.0}
    for stem in dict.fromkeys(content_stems(words)):
        weight, brought = rarity.get(stem, LEAST_WEIGHT), stem in asked
        held[brought] += weight * (_held(stem, here) or (PASSAGE_SHARE * _held(stem, beside) if brought else 0.0))
        whole[brought] += weight
    new, known = (held[brought] / whole[brought] if whole[brought] else 1.0 for brought in (False, True))
    return new, known


def _forms_of(words: Sequence[str]) -> tuple[Set[str], Set[str]]:
    """The words, and how the longer ones begin."""
    return frozenset(words), frozenset(word[:NEAR_LETTERS] for word in words if len(word) >= NEAR_LETTERS)


def _held(stem: str, forms: tuple[Set[str], Set[str]]) -> float:
    words, beginnings = forms
    if stem in words:
        return 1.0
    is_long = len(stem) >= NEAR_LETTERS and not stem[0].isdigit()
    return NEAR_SHARE if is_long and stem[:NEAR_LETTERS] in beginnings else 0.0
