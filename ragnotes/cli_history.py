"""The command `history`: what was asked before, shown and deleted. Where `ask` is a server's client, this is too."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Annotated

import typer

from ragnotes import client, console
from ragnotes.errors import NotFound, UsageError
from ragnotes.options import IndexOption, JsonOption
from ragnotes.running import Code, opened, print_json
from ragnotes.service.encoding import conversation_json, conversation_line_json
from ragnotes.service.limits import MAX_LISTED
from ragnotes.service.wire import CitedPlaceJson, ConversationJson, ConversationLineJson
from ragnotes.service.wording import NOT_TOLD, plain, spot_then
from ragnotes.settings import Settings, load_settings
from ragnotes.turns import LAST

__all__ = ["history_app"]

LISTED = 20

history_app = typer.Typer(add_completion=False, rich_markup_mode=None)

_ID_HELP = "As the list names it, or: last."
ServerOption = Annotated[str | None, typer.Option("--server", metavar="URL", help="The history of this server.")]
ListedOption = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=MAX_LISTED, help="How many.")]


@history_app.callback(invoke_without_command=True)
def list_conversations(
    ctx: typer.Context,
    *,
    index: IndexOption = None,
    as_json: JsonOption = False,
    limit: ListedOption = LISTED,
    server: ServerOption = None,
) -> None:
    """List what was asked before; `show` and `delete` take one of the list."""
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx, ctx.invoked_subcommand)
        return
    lines = _lines(ctx, load_settings({"index": index, "server": server}), limit)
    if as_json:
        print_json(lines)
        return
    if not lines:
        console.show_note("nothing is kept")
    console.show_lines([_line(line) for line in lines])


@history_app.command()
def show(
    ctx: typer.Context,
    conversation: Annotated[str, typer.Argument(metavar="ID", help=_ID_HELP, show_default=False)],
    *,
    index: IndexOption = None,
    as_json: JsonOption = False,
    server: ServerOption = None,
) -> None:
    """Show a conversation: the answers as they were then. The notes may have changed since."""
    found = _conversation(ctx, load_settings({"index": index, "server": server}), conversation)
    if as_json:
        print_json(found)
        return
    console.show_note("answers as they were given then; the notes may have changed since")
    console.show_lines(_turn_lines(found))


@history_app.command()
def delete(
    ctx: typer.Context,
    conversation: Annotated[str | None, typer.Argument(metavar="ID", help=_ID_HELP, show_default=False)] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All conversations.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    index: IndexOption = None,
    server: ServerOption = None,
) -> None:
    """Delete a conversation, or all of them, for good."""
    if (conversation is None) != everything:
        raise UsageError("delete needs either ID or --all", "see: ragnotes history")
    settings = load_settings({"index": index, "server": server})
    if conversation is None:
        _delete_all(ctx, settings, yes=yes)
        return
    chosen = _id(ctx, settings, conversation)
    _confirm(f"the conversation {chosen}", yes=yes)
    _delete(ctx, settings, chosen)
    console.show_note(f"deleted the conversation {chosen}")


def _refuse_options(ctx: typer.Context, command: str) -> None:
    """Raises UsageError where options stand before the command: it would not see them, and mean another history."""
    for name in ctx.params:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"options come after {command}", f"begin with: ragnotes history {command}")


def _delete_all(ctx: typer.Context, settings: Settings, *, yes: bool) -> None:
    if settings.server:
        ids = [line.id for line in _lines(ctx, settings, MAX_LISTED)]
        more = " or more" if len(ids) == MAX_LISTED else ""
    else:
        ids = [line.id for line in _lines(ctx, settings, sys.maxsize)]
        more = ""
    if ids:
        _confirm(f"all {_counted(len(ids), more)}", yes=yes)
    deleted = _emptied(ctx, settings) if ids else 0
    console.show_note(f"deleted {_counted(deleted)}" if deleted else "nothing is kept")


def _emptied(ctx: typer.Context, settings: Settings) -> int:
    """Deletes all conversations; gives how many. What another deletes meanwhile is not counted."""
    if not settings.server:
        with opened(ctx.obj, settings) as library:
            return library.conversations.delete_all()
    deleted = before = 0
    while lines := _lines(ctx, settings, MAX_LISTED):
        for line in lines:
            with suppress(NotFound):
                _delete(ctx, settings, line.id)
                deleted += 1
        if deleted == before:
            break
        before = deleted
    return deleted


def _confirm(what: str, *, yes: bool) -> None:
    if not yes and not typer.confirm(f"Delete {what}?", err=True):
        raise typer.Exit(Code.ERROR)


def _counted(number: int, more: str = "") -> str:
    return f"{number}{more} conversation{'s' if number != 1 or more else ''}"


def _lines(ctx: typer.Context, settings: Settings, limit: int) -> list[ConversationLineJson]:
    if settings.server:
        return client.conversations(settings.server, limit, api_key=settings.api_key)
    with opened(ctx.obj, settings) as library:
        return [conversation_line_json(line) for line in library.conversations.lines(limit)]


def _id(ctx: typer.Context, settings: Settings, conversation: str | None) -> str:
    """The id that is meant by ID. Raises NotFound where it is `last` and there is none."""
    if conversation != LAST:
        return conversation or ""
    lines = _lines(ctx, settings, 1)
    if not lines:
        raise NotFound("there is no conversation yet", 'begin one with: ask "…"')
    return lines[0].id


def _conversation(ctx: typer.Context, settings: Settings, conversation: str) -> ConversationJson:
    wanted = _id(ctx, settings, conversation)
    if settings.server:
        return client.conversation(settings.server, wanted, api_key=settings.api_key)
    with opened(ctx.obj, settings) as library:
        return conversation_json(library.conversations.read(wanted))


def _delete(ctx: typer.Context, settings: Settings, conversation: str) -> None:
    if settings.server:
        client.delete_conversation(settings.server, conversation, api_key=settings.api_key)
        return
    with opened(ctx.obj, settings) as library:
        library.conversations.delete(conversation)


def _line(line: ConversationLineJson) -> str:
    turns = "1 turn" if line.turns == 1 else f"{line.turns} turns"
    return f"{line.id}  {_moment(line.asked_at)}  {turns:>8}  {plain(line.question)}"


def _moment(asked_at: str | None) -> str:
    return (asked_at or "")[:16].replace("T", " ")


def _turn_lines(conversation: ConversationJson) -> list[str]:
    lines = list[str]()
    if conversation.count > len(conversation.turns):
        lines.append(f"(the last {len(conversation.turns)} of {conversation.count} turns)")
    for turn in conversation.turns:
        lines += ["", f"> {plain(turn.question)}"] if lines else [f"> {plain(turn.question)}"]
        if turn.rewritten:
            lines.append(f"  asked as: {plain(turn.rewritten)}")
        lines.append(f"  {_moment(turn.asked_at)} · generation {turn.generation}")
        lines.append(f"  {plain(turn.answer) or NOT_TOLD}")
        lines += [f"    {_place(place)}" for place in turn.cited]
    return lines


def _place(place: CitedPlaceJson) -> str:
    return " · ".join(plain(part) for part in (spot_then(place), place.heading, place.date) if part)
