"""The noun that a question asks for: `salary` in "what salary does … earn?", `licence` in "what is the licence of …?".

An answer may do without it ("in what country …?": "France"), yet where no good passage has the word, the notes often
speak of the right thing and not of what is asked.
"""

from __future__ import annotations

import re

from ragnotes.asking.words import STOP_WORDS

__all__ = ["asked_noun"]

_VERB = r"(?:is|was|are|were|did|does|do|has|have|had|can|could|will|would)"
_NOUNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^\W*(?:what|who)(?:\s+(?:is|was|are|were)|['’]s)\s+(?:the|an?)\s+((?:[\w’'-]{1,40}\s+){1,4}?)"
        r"(?:of|for|in|at|on|to)\s",
        rf"^\W*(?:what|which)\s+((?:[\w’'-]{{1,40}}\s+){{1,3}}?){_VERB}\s",
        rf"^\W*how\s+(?:many|much)\s+((?:[\w’'-]{{1,40}}\s+){{1,3}}?){_VERB}\s",
    )
)


def asked_noun(question: str) -> str | None:
    """The last word of the thing asked for, as it is written; None where the question does not show one."""
    match = next((match for pattern in _NOUNS if (match := pattern.search(question))), None)
    words = [word for word in match[1].split() if word.lower() not in STOP_WORDS] if match else []
    return words[-1] if words else None
