"""The commands `ask` and `search`. As the client of a server `ask` imports nothing that reads, finds or answers.

That is what it is quick by: so what only some of its ways need is imported where they need it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import TYPE_CHECKING, Annotated, TypeAlias
from urllib.parse import urlsplit

import typer

from ragnotes.clock import Clock
from ragnotes.errors import UsageError
from ragnotes.file_links import Linked, links_into, no_links
from ragnotes.kinds import Kind
from ragnotes.options import (
    ContextOption,
    ContinueOption,
    ConversationOption,
    CorpusOption,
    EmbedderOption,
    ExplainOption,
    IndexOption,
    JsonOption,
    KeepUnsupportedOption,
    KindOption,
    LimitOption,
    ModelOption,
    ModelUrlOption,
    NoHistoryOption,
    NoLlmOption,
    NowOption,
    PathOption,
    SinceOption,
    SpeakerOption,
    TagOption,
    TzOption,
    UntilOption,
)
from ragnotes.running import Code, OpenLibrary, open_library, opened, print_json, run
from ragnotes.service.shapes import AnswerShape, EventShape
from ragnotes.settings import Settings, is_loopback, load_settings
from ragnotes.turns import LAST, NEW

if TYPE_CHECKING:
    from ragnotes.asking.answering import Request
    from ragnotes.service.library import Library

__all__ = ["ask", "ask_main", "links_of", "search"]

Body: TypeAlias = Mapping[str, object]
"""The fields of an `AskBody`, which is made of them where the answer is made."""

STDIN = "-"
MOST_BYTES = 64 * 1024
"""Of stdin: more than the longest question takes."""
QuestionArgument = Annotated[
    str, typer.Argument(metavar="QUESTION", help="In your own words; - reads it from stdin.", show_default=False)
]

ask_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@ask_app.command()
def ask(
    ctx: typer.Context,
    question: QuestionArgument,
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
    no_llm: NoLlmOption = False,
    keep_unsupported: KeepUnsupportedOption = False,
    limit: LimitOption = 10,
    explain: ExplainOption = False,
    context: ContextOption = False,
    deadline: Annotated[float | None, typer.Option(min=0.001, metavar="SECONDS", help="Answer within.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    tag: TagOption = None,
    path: PathOption = None,
    kind: KindOption = None,
    speaker: SpeakerOption = None,
    now: NowOption = None,
    tz: TzOption = None,
    embedder: EmbedderOption = None,
    model: ModelOption = None,
    model_url: ModelUrlOption = None,
    server: Annotated[str | None, typer.Option(metavar="URL", help="Ask this running server.")] = None,
    go_on: ContinueOption = False,
    conversation: ConversationOption = None,
    no_history: NoHistoryOption = False,
) -> None:
    """Answer QUESTION from the notes. Exit code 3 means that they do not say."""
    own = {"corpus": corpus, "index": index, "embedder": embedder, "model": model, "model_url": model_url}
    settings = load_settings({**own, "server": server, "tz": tz, "history": False if no_history else None})
    body = {
        "question": _asked(question),
        "limit": limit,
        "llm": not no_llm,
        "keep_unsupported": keep_unsupported,
        "surroundings": context or not as_json,
        "deadline_ms": deadline * 1000 if deadline else None,
        "stream": True,
        "conversation_id": _conversation(settings, conversation, go_on=go_on),
        **_filters(since=since, until=until, tag=tag, path=path, kind=kind, speaker=speaker),
        "now": now and now.isoformat(),
        "tz": settings.tz,
    }
    live = sys.stdout.isatty() and not as_json  # to a person at a terminal the answer is shown while it comes
    answer = _ask_server(settings, body, own, live) if settings.server else _ask_here(ctx.obj, settings, body, live)
    from ragnotes import console

    if as_json:
        print_json(answer)
    else:
        console.show_answer(answer, explain=explain, context=context, linked=links_of(settings), told=live)
    _show_notes(answer, body)
    raise typer.Exit(Code.DONE if answer.answered else Code.ABSTAINED)


def search(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="- reads it from stdin.", show_default=False)],
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
    limit: LimitOption = 10,
    explain: ExplainOption = False,
    context: ContextOption = False,
    since: SinceOption = None,
    until: UntilOption = None,
    tag: TagOption = None,
    path: PathOption = None,
    kind: KindOption = None,
    speaker: SpeakerOption = None,
    now: NowOption = None,
    tz: TzOption = None,
    embedder: EmbedderOption = None,
) -> None:
    """Show the passages for QUERY, best first."""
    from ragnotes import console
    from ragnotes.service.bodies import FiltersBody
    from ragnotes.service.encoding import found_json
    from ragnotes.service.requests import filters_of

    settings = load_settings({"corpus": corpus, "index": index, "embedder": embedder, "tz": tz})
    given = _filters(since=since, until=until, tag=tag, path=path, kind=kind, speaker=speaker)
    filters = filters_of(FiltersBody.model_validate(given))
    query = _asked(query)
    with opened(ctx.obj, settings) as library, console.working("searching"):
        found = library.search(query, filters=filters, limit=limit, surroundings=context, clock=Clock(now))
        shown = found_json(found)
    console.show_reread(shown.reread)
    console.show_left_out(shown.left_out)
    console.show_unmatched(shown.unmatched)
    if as_json:
        print_json(shown)
    else:
        console.show_found(shown, explain=explain, context=context, linked=links_of(settings))


def ask_main(args: Sequence[str] | None = None, *, library: OpenLibrary = open_library) -> int:
    """The command `ask`; gives the exit code."""
    return run(ask_app, "ask", args, library)


def _ask_server(settings: Settings, body: Body, own: Mapping[str, object], live: bool) -> AnswerShape:
    """The server's answer; the options of an index of one's `own` are told to be without effect."""
    from ragnotes import thin_client
    from ragnotes.calls import public

    assert settings.server
    if ignored := [f"--{name.replace('_', '-')}" for name, value in own.items() if value]:
        from ragnotes import console

        console.show_note(f"{', '.join(ignored)} without effect: {public(settings.server)} answers from its own notes")

    def showing() -> AbstractContextManager[Callable[[EventShape], None]]:
        from ragnotes.terminal import answering

        return answering("asking", live=live)

    return thin_client.ask(settings.server, body, api_key=settings.api_key, showing=showing)


def _ask_here(library: OpenLibrary, settings: Settings, body: Body, live: bool) -> AnswerShape:
    from ragnotes.service.bodies import AskBody
    from ragnotes.service.requests import request_of
    from ragnotes.terminal import answering

    request = request_of(AskBody.model_validate(body))
    with opened(library, settings) as own:
        if not own.indexed():
            _index_first(own)
        with answering("searching", live=live) as show:
            return _answer(own, request, show)


def _answer(library: Library, request: Request, show: Callable[[EventShape], None]) -> AnswerShape:
    from ragnotes.service.encoding import event_json

    for event in library.ask(request):
        _, shown = event_json(event)
        show(shown)
        if isinstance(shown, AnswerShape):
            return shown
    raise AssertionError("events end with Final")


def _show_notes(answer: AnswerShape, body: Body) -> None:
    """What of the answer is not as it was asked for."""
    from ragnotes import console

    if body["conversation_id"] and not answer.conversation_id:
        console.show_note("this could not be kept in the history")
    console.show_reread(answer.reread)
    console.show_left_out(answer.left_out)
    console.show_unmatched(answer.unmatched)
    if body["llm"]:
        console.show_shortfall(answer)


def links_of(settings: Settings) -> Linked:
    """Links into the notes on this machine; another machine's server has its own."""
    host = urlsplit(settings.server).hostname if settings.server else "localhost"
    return links_into(settings.corpus, settings.link) if is_loopback(host or "") else no_links


def _index_first(library: Library) -> None:
    from ragnotes import console
    from ragnotes.cli_index import failed_files
    from ragnotes.service.encoding import summary_json

    console.show_note("there is no index yet: indexing the notes first")
    with console.indexing(verbose=False) as progress:
        summary = summary_json(library.update(progress))
    console.show_summary(summary, failed_files(library, summary), on_stderr=True)


def _filters(
    *,
    since: date | None,
    until: date | None,
    tag: list[str] | None,
    path: list[str] | None,
    kind: list[Kind] | None,
    speaker: list[str] | None,
) -> dict[str, object]:
    """The fields of a `FiltersBody`, as JSON has them."""
    return {
        "since": since and since.isoformat(),
        "until": until and until.isoformat(),
        "tags": tag or [],
        "paths": path or [],
        "kinds": kind or [],
        "speakers": speaker or [],
    }


def _conversation(settings: Settings, conversation: str | None, *, go_on: bool) -> str | None:
    """Which conversation the question belongs to; a plain one begins another, which -c then continues.

    Not at a server: what is asked there is kept only where that is said, and its last conversation may be another's.
    """
    if conversation and go_on:
        raise UsageError("-c and --conversation are two different conversations", "name one of them")
    if not settings.history and (conversation or go_on):
        raise UsageError(
            "no history is kept, so there is no conversation to go on with",
            "leave out --no-history, or set history = true",
        )
    return conversation or (LAST if go_on else NEW if settings.history and not settings.server else None)


def _asked(question: str) -> str:
    """The question, which `-` has come by stdin. Raises UsageError where it came in bytes that are no text."""
    if question == STDIN:
        question = _from_stdin()
    try:
        question.encode()
    except UnicodeEncodeError:
        raise UsageError("the question is not valid UTF-8", "check the terminal's encoding") from None
    return question


def _from_stdin() -> str:
    raw = sys.stdin.buffer.read(MOST_BYTES) if sys.stdin else b""  # there is none where it was closed
    if len(raw) == MOST_BYTES:
        raise UsageError(f"the question on stdin has {MOST_BYTES} bytes or more", "ask something shorter")
    return raw.decode("utf-8", "surrogateescape").removeprefix("\ufeff").strip()
