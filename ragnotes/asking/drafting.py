"""The language model's draft to sentences of an answer, each given as soon as it is certain that it stands.

What is given is never taken back: sentences wait until one of them makes the draft worth more than the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from ragnotes.answers import Evidence, Support
from ragnotes.asking.extraction import stands
from ragnotes.asking.markers import NUMBERS
from ragnotes.asking.prompting import build_prompt
from ragnotes.asking.verification import Checked, Claim, is_refusal, without_foreign_urls
from ragnotes.asking.word_order import support_of
from ragnotes.ports import Draft
from ragnotes.ports import Generator as LanguageModel
from ragnotes.sentences import sentence_spans

__all__ = ["PROMPT_EVIDENCE", "Task", "check_sentence", "draft_sentences"]

PROMPT_EVIDENCE = 4
"""Pieces of evidence that the model is shown: the best three held the answer to nine in ten of squad's questions."""
LOADING_POLL_S = 0.05
MAX_SENTENCES = 3
MIN_WORDS = 3

_MARKER = re.compile(rf"\s*{NUMBERS}")
_ENDED_TWICE = re.compile(r"(?<=[^.][.!?])\.(?!\.)|^[.!?,;]+ ")
"""What a marker between two full stops leaves behind, in this sentence or before the next."""
_MAY_END = re.compile(r"[.!?…][\"'”’)\]]*\s")
"""Where a sentence may have ended; only then is the text cut into sentences again."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the model is asked to write: an answer to `question` from `evidence`, worth more than `extracted`.

    `stopped` turns true when nobody waits for the draft any more. `verify` says how well evidence carries claims. With
    `keep_unsupported` a sentence that none carries is told too, as what it is.
    """

    question: str
    evidence: Sequence[Evidence]
    extracted: Sequence[Checked]
    answer_tokens: int
    stopped: Callable[[], bool]
    verify: Callable[[Sequence[Claim]], list[Support]]
    keep_unsupported: bool = False


def draft_sentences(generator: LanguageModel, task: Task) -> Generator[Checked, None, Mapping[str, int]]:
    """The sentences of the model's draft that stand, each as soon as that is certain; then the tokens that it took.

    None where the draft does not stand or comes too late. Raises ModelError where the model fails.
    """
    while not generator.ready(LOADING_POLL_S):
        if task.stopped():
            return {}
    prompt, shown = build_prompt(
        generator, task.question, task.evidence[:PROMPT_EVIDENCE], answer_tokens=task.answer_tokens
    )
    with closing(generator.generate(prompt, max_tokens=task.answer_tokens, cancelled=task.stopped)) as draft:
        yield from _standing(task, _sentences(draft, task), task.evidence[:shown])
    return {"prompt_tokens": draft.usage.prompt_tokens, "tokens": draft.usage.tokens} if draft.usage else {}


def _standing(task: Task, sentences: Iterator[str], evidence: Sequence[Evidence]) -> Iterator[Checked]:
    """The sentences that the evidence carries, held back until together they may replace the extract."""
    waiting: list[Checked] = []
    seen: set[str] = set()
    told = 0
    for sentence in sentences:
        if is_refusal(sentence):
            return
        checked = check_sentence(task, sentence, evidence)
        if checked is None or sentence.lower() in seen:
            continue
        seen.add(sentence.lower())
        waiting.append(checked)
        if told or task.keep_unsupported or stands(task.question, waiting, task.extracted):
            yield from waiting
            told += len(waiting)
            waiting = []
        if told + len(waiting) >= MAX_SENTENCES:
            return


def check_sentence(task: Task, sentence: str, evidence: Sequence[Evidence]) -> Checked | None:
    """The sentence with the smallest piece of evidence that carries it; None where none does, and it is to be cut.

    A piece carries it that tells it in its own order and agrees with it in all else. A sentence that is kept though
    none does comes with the piece that agrees best, and without addresses that are in no source.
    """
    if not evidence or len(sentence.split()) < MIN_WORDS:
        return None
    in_order = [item for item in evidence if support_of(task.question, sentence, item) is Support.SUPPORTED]
    carriers = [item for item, support in _verified(task, sentence, in_order) if support is Support.SUPPORTED]
    if carriers:
        return Checked(sentence, min(carriers, key=lambda item: len(item.text)), Support.SUPPORTED)
    if not task.keep_unsupported:
        return None
    item, support = min(_verified(task, sentence, evidence), key=lambda pair: list(Support).index(pair[1]))
    support = Support.WEAK if support is Support.SUPPORTED else support  # it agrees, but not in order
    return Checked(without_foreign_urls(sentence, evidence), item, support)


def _verified(task: Task, sentence: str, evidence: Sequence[Evidence]) -> list[tuple[Evidence, Support]]:
    claims = [Claim(task.question, sentence, item) for item in evidence]
    return list(zip(evidence, task.verify(claims) if claims else [], strict=True))


def _sentences(draft: Draft, task: Task) -> Iterator[str]:
    """The sentences of the draft without citation markers, each when the next has begun.

    The last one comes only where the model ended it: half a sentence may say the contrary of the whole.
    """
    text = ""
    for piece in draft:
        text += piece
        if _MAY_END.search(text):
            *whole, text = _cut(text)
            yield from whole
    cut_short = draft.usage is not None and draft.usage.tokens >= task.answer_tokens
    *whole, rest = _cut(text)
    yield from whole
    if rest and not task.stopped() and not (cut_short and not _MAY_END.search(f"{rest} ")):
        yield rest.rstrip()


def _cut(text: str) -> list[str]:
    """The sentences of the text so far, as they are shown; the last may be unfinished, and ends as the text does."""
    shown = _ENDED_TWICE.sub("", " ".join(_MARKER.sub("", text).split()))
    *whole, rest = [shown[start:end] for start, end in sentence_spans(shown)] or [""]
    return [*whole, f"{rest} " if text[-1:].isspace() else rest]
