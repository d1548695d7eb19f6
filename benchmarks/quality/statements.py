"""True claims as a model would write them: a question and its answer turned into a statement, a sentence shortened.

Only patterns that give a sound sentence are handled; every other question gives None.
"""

from __future__ import annotations

import re

__all__ = ["shortened", "statement"]

_BE = "is|are|was|were"
_PREPOSITIONS = "in|on|at|by|for|from|of|to|with|into|as|under|over"
_SUBJECT = r"(?:[Tt]he |[Aa]n? |[Hh]is |[Hh]er |[Ii]ts )"
_NAME = r"[A-Z0-9][\w'-]*(?: (?:of |the )*[A-Z0-9][\w'-]*)*"
_COPULA = re.compile(rf"^(?:[Ww]hat|[Ww]ho) ({_BE}) ((?:{_SUBJECT}|[A-Z0-9]).+)\?$")
_WHO_VERB = re.compile(r"^[Ww]ho ([a-z]+ .+)\?$")
_WHICH_VERB = re.compile(
    rf"^(?:[Ww]hat|[Ww]hich) (?:[\w'-]+ ){{1,3}}?((?:{_BE}|has|had|can|[a-z]+ed|led|made|became) .+)\?$"
)
_HOW_MANY = re.compile(rf"^[Hh]ow many ([\w' -]+?) ((?:{_BE}|have|has|had) .+)\?$")
_PARTICIPLE = re.compile(
    r"^(?:in |on |at )?(when|where|(?:what|which) (?:year|month|country|city|state|place|century|day|date)) "
    rf"({_BE}) (.+?) "
    r"(\w+ed|born|built|held|known|made|found|written|begun|won|lost|sold|seen|shown|set|put|sent)\b ?(.*)\?$",
    re.I,
)
_DID = re.compile(
    r"^([Ww]hat|[Ww]ho|[Ww]hen|[Ww]here|(?:[Ii]n |[Oo]n )?(?:[Ww]hat|[Ww]hich) (?:year|month|country|city)) did "
    rf"({_NAME}|{_SUBJECT}\w+) (?!\w+s\b|de\b|so\b)([a-z]+) ?(.*)\?$"
)
_PAST = dict(
    pair.split(":")
    for pair in """
    leave:left begin:began make:made take:took give:gave find:found build:built win:won lose:lost write:wrote
    become:became come:came go:went hold:held lead:led send:sent see:saw say:said get:got have:had do:did break:broke
    fight:fought bring:brought buy:bought think:thought teach:taught grow:grew know:knew draw:drew fall:fell rise:rose
    run:ran speak:spoke spend:spent stand:stood meet:met pay:paid set:set put:put cut:cut read:read keep:kept feel:felt
    sell:sold tell:told show:showed choose:chose wear:wore""".split()  # noqa: SIM905 - reads better than a column
)
_TRAILING = re.compile(r"(?:[;,] | (?=(?:which|who|where|because|although|while|whereas|but) ))(?!.*(?:[;,] )).+$")


def statement(question: str, answer: str) -> str | None:
    """The question with its answer as one sentence; None where no pattern fits."""
    question, answer = " ".join(question.split()), answer.strip().rstrip(".")
    for pattern in (_by_participle, _by_count, _by_copula, _by_did, _by_subject):
        made = pattern(question, answer)
        if made:
            return made[0].upper() + made[1:].rstrip(" .") + "."
    return None


def _by_participle(question: str, answer: str) -> str | None:
    found = _PARTICIPLE.match(question)
    if not found:
        return None
    word, be, subject, participle, rest = found.groups()
    return f"{subject} {be} {participle} {rest} {_placed(word, answer)}".replace("  ", " ")


def _by_count(question: str, answer: str) -> str | None:
    found = _HOW_MANY.match(question)
    if not found or answer.lower().endswith(found[1].lower()):
        return None
    return f"{answer} {found[1]} {found[2]}"


def _by_copula(question: str, answer: str) -> str | None:
    found = _COPULA.match(question)
    if not found or re.search(rf"\b(?:{_PREPOSITIONS}|called|named|known as)$|\bbeing\b", found[2]):
        return None
    return f"{found[2]} {found[1].lower()} {answer}"


def _by_did(question: str, answer: str) -> str | None:
    found = _DID.match(question)
    if not found:
        return None
    word, subject, verb, rest = found.groups()
    past = _PAST.get(verb.lower()) or (f"{verb}d" if verb.endswith("e") else f"{verb}ed")
    if word.lower() in ("what", "who"):
        return None if rest else f"{subject} {past} {answer}"
    return f"{subject} {past} {rest} {_placed(word, answer)}".replace("  ", " ")


def _by_subject(question: str, answer: str) -> str | None:
    found = _WHO_VERB.match(question) or _WHICH_VERB.match(question)
    if not found or re.match(r"(?:did|does|do)\b", found[1], re.I):
        return None
    return f"{answer} {found[1]}"


def _placed(word: str, answer: str) -> str:
    if re.match(rf"(?:{_PREPOSITIONS}|since|between|during|before|after|around|about|until)\b", answer, re.I):
        return answer
    is_day = re.search(r"[A-Z][a-z]+ \d{1,2}\b|\b\d{1,2} [A-Z]", answer)
    return f"on {answer}" if is_day and not word.lower().startswith("where") else f"in {answer}"


def shortened(sentence: str, kept: str) -> str | None:
    """The sentence without its parentheses, else without its last clause; None where nothing goes but `kept`."""
    without = re.sub(r"\s*\([^()]*\)", "", sentence)
    if without == sentence:
        without = _TRAILING.sub("", sentence)
    without = without.rstrip(" .,;")
    if without == sentence.rstrip(" .,;") or len(without.split()) < 5 or kept.lower() not in without.lower():
        return None
    return f"{without}."
