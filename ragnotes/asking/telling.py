"""Checked sentences to the events of an answer: each sentence, then the citations that are new, with their numbers."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field

from ragnotes.answers import Citation, Evidence, Sentence, Support
from ragnotes.asking.markers import without_foreign_markers
from ragnotes.asking.verification import Checked
from ragnotes.events import Cited, Event, Token

__all__ = ["Telling"]


@dataclass(slots=True)
class Telling:
    """What was told of an answer so far, why it is not the model's, and which model wrote it where it did.

    Citations are numbered from 1 in order of appearance; one span is one citation.
    """

    reason: str | None = None
    model: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)

    def tell_all(
        self, checked: Generator[Checked, None, Mapping[str, int]]
    ) -> Generator[Event, None, Mapping[str, int]]:
        """The events of all sentences; what the generator of them returns."""
        while True:
            try:
                item = next(checked)
            except StopIteration as end:
                usage: Mapping[str, int] = end.value
                return usage
            yield from self.tell(item)

    def tell(self, checked: Checked) -> Iterator[Event]:
        """The sentence, then its citation where that is new."""
        known = len(self.citations)
        carriers = (checked.evidence, *checked.also) if checked.support is not Support.UNSUPPORTED else ()
        numbers = tuple(dict.fromkeys(self._number(item, checked.support) for item in carriers))
        text = without_foreign_markers(checked.text)
        sentence = Sentence(text, numbers, checked.support, checked.own_line)
        yield Token(sentence.joint * bool(self.sentences) + text, numbers, checked.support)
        self.sentences.append(sentence)
        for citation in self.citations[known:]:
            yield Cited(citation)

    def _number(self, evidence: Evidence, support: Support) -> int:
        """The number of the citation of that span, which is added where it is new."""
        unit, source = evidence.unit, evidence.hit.source
        span = (source.doc_id, unit.start, unit.end)
        for citation in self.citations:
            if (citation.source.doc_id, citation.start, citation.end) == span:
                return citation.n
        self.citations.append(
            Citation(
                n=len(self.citations) + 1,
                source=source,
                place=evidence.place,
                start=unit.start,
                end=unit.end,
                quote=evidence.text,
                links=evidence.links,
                score=evidence.score,
                support=support,
            )
        )
        return len(self.citations)
