"""Questions that ask for a link: "what was the link for …?", "which arXiv paper …?", "¿cuál era el enlace de …?".

Only such a question is answered with addresses. "Where was the battle fought?" asks for a place, and "what is the link
between the two?" for a relation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ragnotes.answers import Evidence
from ragnotes.asking.words import content_stems, has_content
from ragnotes.languages import LINK_LABELS
from ragnotes.types import Link

__all__ = ["asks_for_link", "links_to_tell", "subject_of_link", "with_links"]

MAX_LINKS, MAX_MANY = 3, 8
"""The links that one piece of evidence brings into an answer, and where several were asked for."""
LINKED = 0.06
"""What it is worth that a piece of evidence has a link of its own: of two about as good, that one is meant."""
NAMED = 0.2
"""What it is worth that the words of a link are those of the question."""
FITS = 0.5
"""The share of the best link's fit that another link must reach to be told after the first two."""
ALWAYS_TOLD = 2
_AROUND = 80
"""Characters before and after a link that tell what it is, where its own words do not."""

_ADDRESS = r"(?:hyper-?)?links?|urls?|web ?address(?:es)?|web-?sites?|web-?pages?|home-?pages?|repos?(?:itory|itories)?"
_HOST = r"git(?:hub|lab)|hugging ?face|arxiv|youtube"
_THING = (
    r"announcement|articles?|blog|code|datasets?|demos?|docs|documentation|essay|notebooks?|page|papers?|pdf|podcast"
    r"|posts?|preprint|recording|slides|talks?|thread|tutorials?|tweet|videos?|weights"
)
_OF = r"to|for|of|about|on|from|by|with"
_FEW = r"(?:[\w.'’+#-]+ ){0,4}?"  # words before a noun: "the old GitHub repo"
_ENGLISH = (
    rf"\b(?:what|which)(?:['’]?s| is| was| are| were) (?:the|my|its|their|that|our) {_FEW}(?:{_ADDRESS}|{_HOST})"
    rf"(?: (?:{_OF}|did|do|that|where|I|we)\b|\W*$)",
    rf"\b(?:what|which) (?:\w+ )?(?:{_ADDRESS}|{_HOST})"  # and no "URL scheme"
    rf"(?: (?:{_OF}|is|are|was|were|has|have|did|do|does|I|we)\b|\W*$)",
    rf"\bwhere(?:['’]?s| is| was| are| were) (?:the|that|this|my|our|its|a) {_FEW}(?:{_THING}|{_ADDRESS}|{_HOST})"
    rf"(?: (?:{_OF}|that|where|in which)\b|\W*$)",
    r"\bwhere (?:can|could|do|should) (?:I|we) (?:find|read|watch|download|listen)\b",
    rf"\bwhere did (?:I|we) (?:\w+ ){{1,3}}(?:{_THING}|{_ADDRESS})\b",
    r"\b(?:give|show|send|find|get|got|share|tell|need|want|list|have|save|note)\b[^.?!]{0,40}"
    rf"\b(?:{_ADDRESS}) (?:{_OF})\b",
    rf"^\W*(?:(?:the|any|a|my|official|project|{_THING}|{_HOST}) ){{0,2}}(?:{_ADDRESS}|{_HOST}) (?:{_OF})\b",
    rf"^(?!\W*(?:what|which|where|do|does|did|is|was)\b).*\b(?:{_ADDRESS}|{_HOST})\W*$",
    r"\barxiv (?:links?|ids?|numbers?|papers?|preprints?|[\d.]+)\b",
)
_SPANISH_ADDRESS = r"enlaces?|v[ií]nculos?|links?|url|repo(?:sitorio)?s?|(?:direcci[oó]n|p[aá]gina|sitio) web"
_SPANISH = (
    rf"\b(?:cu[aá]l(?:es)?|qu[eé]) (?:(?:era|es|fue|eran|son) )?(?:(?:el|la|los|las|mi) )?(?:{_SPANISH_ADDRESS})\b",
    rf"\bd[oó]nde (?:est|pued|encuentr|hay|guard|le[ií])\w* .*\b(?:{_SPANISH_ADDRESS}|art[ií]culo|c[oó]digo|charla"
    r"|cuaderno|diapositivas|documentaci[oó]n|p[aá]gina|v[ií]deo)\b",
    rf"\b(?:dame|p[aá]same|mu[eé]strame|b[uú]scame|necesito|tengo) .*\b(?:{_SPANISH_ADDRESS})\b",
    rf"^\W*(?:el |los )?(?:{_SPANISH_ADDRESS}) (?:de|del|al?|para|sobre)\b",
)
_GERMAN_ADDRESS = r"links?|url|(?:web|internet)-?adresse|web-?seite|homepage|repo(?:sitory)?"
_GERMAN = (
    rf"\b(?:wie|was|welche[rs]?) (?:(?:war|ist|lautet|sind|waren) )?(?:(?:der|die|das|mein) )?(?:{_GERMAN_ADDRESS})\b",
    r"\bwo (?:ist|war|sind|liegt|steht|finde ich|gibt es|kann ich|habe ich) .*"
    rf"\b(?:{_GERMAN_ADDRESS}|artikel|aufzeichnung|code|folien|notebook|paper|video|vortrag)\b",
    rf"\b(?:gib|zeig|such|brauche|habe ich) .*\b(?:{_GERMAN_ADDRESS}) (?:zu[mr]?|für|von|vom|über|auf)\b",
    rf"^\W*(?:der |die |das )?(?:{_GERMAN_ADDRESS}) (?:zu[mr]?|für|von|vom|über|auf)\b",
)
_ASKS = re.compile("|".join((*_ENGLISH, *_SPANISH, *_GERMAN)), re.IGNORECASE)
_NOT_ASKED = re.compile(
    r"^\W*(?:when|who|why|how|cu[aá]ndo|qui[eé]n|por qu[eé]|c[oó]mo|wann|wer|warum)\b"
    r"|\b(?:links?|enlaces?|v[ií]nculos?|verbindung) (?:between|among|entre|zwischen)\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\b(?:links|urls|repos|repositories|websites|pages|papers|articles|enlaces|all|every|todos|alle)\b", re.IGNORECASE
)
_ASKING = re.compile(
    rf"\b(?:{_ADDRESS}|{_SPANISH_ADDRESS}|{_GERMAN_ADDRESS}|what['’]?s|where['’]?s|find|give|list|need|note[ds]?|pages?"
    r"|read|saved?|send|show|want"
    r"|adresse|al|art[ií]culos?|cu[aá]l(?:es)?|dame|del?|d[oó]nde|el|encuentro|era|es|est[aá]n?|fue|las?|los|p[aá]gina"
    r"|p[aá]same|para|puedo|qu[eé]|sobre"
    r"|artikel|das|de[mnr]|die|finde|für|gib|habe|ich|ist|lautet|mir|seite|über|vo[mn]|war|was|welche[rs]?|wie|wo|zeig"
    r"|zu[mr]?)\b",
    re.IGNORECASE,
)
"""What only asks; words that English lacks are not among its stop words."""


def asks_for_link(question: str) -> bool:
    """Whether an address is wanted."""
    return bool(_ASKS.search(question)) and not _NOT_ASKED.search(question)


def subject_of_link(question: str) -> str:
    """What the link is to lead to: the question without the words that ask for one."""
    rest = " ".join(_ASKING.sub(" ", question).split())
    return rest if has_content(rest) else question


def with_links(question: str, evidence: Sequence[Evidence], *, subject: str) -> list[Evidence]:
    """What best answers a question for a link to `subject`, best first, ties in the order given.

    The links of each are its own, or else those beside it, in the order in which their words fit. What has a link comes
    before what is about as good and has none, and more so where the words of the link are those asked for; after the
    first, pieces without a link say nothing and go.
    """
    ranked: list[tuple[float, Evidence]] = []
    for item in evidence if _SEVERAL.search(question) else _without_lists(evidence):
        fits = _fits(item, subject)
        worth = item.score + NAMED * max(fits.values(), default=0.0) + (LINKED if item.unit.links else 0.0)
        ranked.append((worth, replace(item, links=tuple(fits))))
    best = [item for _, item in sorted(ranked, key=lambda pair: -pair[0])]
    return best[:1] + [item for item in best[1:] if item.links]


def _without_lists(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence without lists of which one item says as much: the links of the others lead to something else."""
    return [
        item
        for item in evidence
        if not any(_within(other, item) and other.coverage >= item.coverage for other in evidence)
    ]


def _within(item: Evidence, other: Evidence) -> bool:
    inside = other.unit.start <= item.unit.start and item.unit.end <= other.unit.end
    return inside and item.unit != other.unit and item.hit.source == other.hit.source


def links_to_tell(question: str, item: Evidence, *, subject: str) -> list[str]:
    """The links of a piece of evidence that go into the answer: the first two, and others that fit about as well."""
    fits = _fits(item, subject)
    most = MAX_MANY if _SEVERAL.search(question) or not any(fits.values()) else MAX_LINKS
    least = FITS * max(fits.values(), default=0.0)
    return [url for number, (url, fit) in enumerate(fits.items()) if number < ALWAYS_TOLD or fit >= least][:most]


def _fits(item: Evidence, subject: str) -> dict[str, float]:
    """How well each link of the evidence fits, by its address, best first; ties in the order of the note.

    A link beside the evidence that names something else is left out, unless it is what the evidence stands under.
    """
    wanted = set(content_stems(subject)) if has_content(subject) else set()
    above = "\n".join((item.hit.source.title, item.place.heading or "", item.unit.lead))
    near = (link for link in item.unit.near if link.words in above or not _names_another(link, wanted))
    fits = {link.url: _fit(wanted, link, item.text) for link in item.unit.links or near}
    return dict(sorted(fits.items(), key=lambda pair: -pair[1]))


def _names_another(link: Link, wanted: set[str]) -> bool:
    """Whether the link's own words name something, and nothing of what is wanted."""
    named = (word for word in re.findall(r"[^\W\d_]+", link.words.lower()) if word not in LINK_LABELS)
    own = set(content_stems(" ".join(named)))
    return bool(own and wanted) and own.isdisjoint(wanted)


def _fit(wanted: set[str], link: Link, text: str) -> float:
    """The share of the wanted words that the link's own words hold, those around it in `text` counted half."""
    if not wanted:
        return 0.0
    own = set(content_stems(f"{link.words} {link.url}"))
    around = set(content_stems(_around(link.url, text)))
    return sum(1.0 if stem in own else 0.5 if stem in around else 0.0 for stem in wanted) / len(wanted)


def _around(url: str, text: str) -> str:
    """The words before and after a link in the text, up to the next link."""
    at = text.find(url)
    if at < 0:
        return ""
    before = re.split(r"https?://\S*", text[max(0, at - _AROUND) : at])[-1]
    after = re.split(r"https?://", text[at + len(url) : at + len(url) + _AROUND])[0]
    return f"{before} {after}"
