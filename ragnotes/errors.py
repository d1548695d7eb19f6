"""Every error that ragnotes raises on purpose.

    RagnotesError
    ├── UsageError           a question, filter or option that cannot be used
    ├── SettingsError        a setting with a bad value; names the setting and where it came from
    ├── CorpusError          the notes: folder missing, unreadable, or suddenly empty
    ├── LoadError            one file cannot be read; carries the reason code that `status` shows
    ├── IndexMissing         there is no index yet
    ├── IndexMismatch        the index was built with another embedder, chunker or corpus
    ├── IndexLocked          another process is writing to the index
    ├── IndexDamaged         the index cannot be read
    ├── IndexWriteFailed     the disk refused a write: full, read-only, broken
    ├── ModelError           a model is missing or cannot be loaded
    │   ├── GeneratorFailed  the language model cannot answer
    │   └── GeneratorBusy    its queue is full; carries how long to wait
    ├── EvaluationError      questions or earlier figures that cannot be used
    ├── ServerError          the address is taken, or a server refuses
    │   └── ServerGone       it does not answer
    └── NotFound             no document or job of that id

Each says what is wrong, where, and in `hint` what to do next. Errors of libraries are translated where they are called.
Finding nothing is a value, not an error.
"""

from __future__ import annotations

import errno

__all__ = [
    "CorpusError",
    "EvaluationError",
    "GeneratorBusy",
    "GeneratorFailed",
    "IndexDamaged",
    "IndexLocked",
    "IndexMismatch",
    "IndexMissing",
    "IndexWriteFailed",
    "LoadError",
    "ModelError",
    "NotFound",
    "RagnotesError",
    "ServerError",
    "ServerGone",
    "SettingsError",
    "UsageError",
    "is_out_of_files",
]


class RagnotesError(Exception):
    """What is wrong and where, in one line, and what to do about it."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem, hint)
        self.problem = " ".join(problem.split())
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.problem}; {self.hint}"


class UsageError(RagnotesError):
    """A question, filter or option that cannot be used."""


class SettingsError(RagnotesError):
    """A setting has a bad value."""


class CorpusError(RagnotesError):
    """The folder of notes is missing, unreadable, or suddenly empty."""


class LoadError(RagnotesError):
    """One file cannot be read. `reason` is the code that `status` shows."""

    def __init__(self, reason: str, problem: str, hint: str = "the other files are indexed without it") -> None:
        super().__init__(problem, hint)
        self.reason = reason


class IndexMissing(RagnotesError):
    """There is no index yet."""


class IndexMismatch(RagnotesError):
    """The index was built with another embedder, chunker or corpus."""


class IndexLocked(RagnotesError):
    """Another process is writing to the index."""


class IndexDamaged(RagnotesError):
    """The index cannot be read."""


class IndexWriteFailed(RagnotesError):
    """The disk refused a write: full, read-only, or broken."""


class ModelError(RagnotesError):
    """A model is missing or cannot be loaded."""


class GeneratorFailed(ModelError):
    """The language model cannot answer."""


class GeneratorBusy(ModelError):
    """The language model's queue is full."""

    def __init__(self, problem: str, hint: str, *, retry_after_s: int) -> None:
        super().__init__(problem, hint)
        self.retry_after_s = retry_after_s


class EvaluationError(RagnotesError):
    """Questions or earlier figures cannot be used: malformed, or not about these notes."""


class ServerError(RagnotesError):
    """The address is taken, or a server does not answer or refuses."""


class ServerGone(ServerError):
    """A server does not answer, or ended while it did."""


class NotFound(RagnotesError):
    """No document or job of that id."""


def is_out_of_files(error: OSError) -> bool:
    """Whether this process, or the system, has as many files open as may be: it passes."""
    return error.errno in {errno.EMFILE, errno.ENFILE}
