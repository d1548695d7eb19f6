"""An indexing run of the command line: by the server of that index where one runs, else in this process.

A server has its models loaded already and is told at once; two processes that index the same folder would only wait for
each other.
"""

from __future__ import annotations

from ragnotes import client, console
from ragnotes.errors import ServerGone
from ragnotes.running import OpenLibrary, opened
from ragnotes.service.bodies import SyncBody
from ragnotes.service.encoding import status_json, summary_json
from ragnotes.service.library import Library
from ragnotes.service.presence import RunningServer, server_of
from ragnotes.service.wire import FileJson, StatusJson, SummaryJson
from ragnotes.settings import Settings
from ragnotes.types import FileStatus

__all__ = ["failed_files", "indexed"]


def indexed(
    library: OpenLibrary, settings: Settings, how: SyncBody, *, verbose: bool
) -> tuple[SummaryJson, list[FileJson]]:
    """What a run did, and the files that failed."""
    server = server_of(settings)
    if server:
        try:
            return _by_server(server, how, verbose=verbose)
        except ServerGone as gone:  # what it did is kept
            console.show_note(f"{gone.problem}; it is done here")
    return _here(library, settings, how, verbose=verbose)


def failed_files(library: Library, summary: SummaryJson) -> list[FileJson]:
    """The files that failed; the corpus is walked for them only where there are some."""
    return _failed(status_json(library.status())) if summary.failed else []


def _here(
    library: OpenLibrary, settings: Settings, how: SyncBody, *, verbose: bool
) -> tuple[SummaryJson, list[FileJson]]:
    with opened(library, settings) as own:
        with console.indexing(verbose=verbose) as progress:
            summary = summary_json(own.update(progress, **how.model_dump()))
        return summary, failed_files(own, summary)


def _by_server(server: RunningServer, how: SyncBody, *, verbose: bool) -> tuple[SummaryJson, list[FileJson]]:
    """The same by a running server, which goes on also where this process is stopped."""
    console.show_note(f"the server of this index does it, process {server.pid} at {server.url}")
    with console.indexing(verbose=verbose) as progress:
        summary = client.sync(server.url, how, api_key=server.token, show=progress)
    return summary, _failed(client.status(server.url, api_key=server.token)) if summary.failed else []


def _failed(status: StatusJson) -> list[FileJson]:
    return [file for file in status.files if file.status is FileStatus.FAILED]
