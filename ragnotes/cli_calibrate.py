"""`eval --calibrate`: the questions of a file to the calibration of the index, kept there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ragnotes import console
from ragnotes.errors import IndexMissing
from ragnotes.evaluation.calibrating import Calibrated, calibrate, calibrated_json, calibrated_lines, check_numbers
from ragnotes.evaluation.outcomes import ask_all
from ragnotes.evaluation.questions import QuestionSet, read_questions
from ragnotes.running import OpenLibrary, opened, print_json
from ragnotes.service.library import Library
from ragnotes.settings import Settings
from ragnotes.types import FileStatus

__all__ = ["calibrate_index", "warn_of_stale_files"]


def calibrate_index(library: OpenLibrary, settings: Settings, file: Path | None, *, as_json: bool) -> None:
    """Keeps what the questions of `file` give, and shows what that changes; without a file, forgets it."""
    asked = read_questions(file) if file else None
    if asked is not None:
        check_numbers([question.answerable for question in asked.questions])
    with opened(library, settings) as own:
        warn_of_stale_files(own)
        found = _fitted(own, asked) if asked else None
        store = own.store()
        with store.writer():
            store.calibrate(found.calibration if found else None)
    if found is None:
        console.show_note("the index is asked with the calibration that was shipped")
    elif as_json:
        print_json(calibrated_json(found))
    else:
        console.show_lines(calibrated_lines(calibrated_json(found)))


def _fitted(library: Library, asked: QuestionSet) -> Calibrated:
    library.check_index()
    with library.store().reading() as snapshot:
        current = snapshot.calibration()
    with console.indexing(verbose=False) as progress:
        outcomes = ask_all(library, asked, answers=True, llm=False, progress=progress)
    return calibrate(outcomes, current, fitted_at=datetime.now(UTC).isoformat(timespec="seconds"))


def warn_of_stale_files(library: Library) -> None:
    """Raises IndexMissing where there is no index; what is stale in one would only look like a miss."""
    library.store()
    if not library.indexed():
        raise IndexMissing("the index is empty", "run: ragnotes index")
    stale = [record.path for record in library.status().files if record.status is FileStatus.STALE]
    if stale:
        more = f" and {len(stale) - 1} more" if len(stale) > 1 else ""
        console.show_note(f"{stale[0]}{more} changed since the notes were indexed; run: ragnotes index")
