"""The command `history`: what was asked before, shown and deleted. Where `ask` is a server's client, this is too."""

from __future__ import annotations

from typing import Annotated

import typer

from ragnotes import client, console
from ragnotes.errors import NotFound, UsageError
from ragnotes.options import IndexOption, JsonOption
from ragnotes.running import Code, opened, print_json
from ragnotes.service.encoding import conversation_json, conversation_line_json
from ragnotes.service.wire import CitedPlaceJson, ConversationJson, ConversationLineJson
from ragnotes.service.wording import plain
from ragnotes.settings import Settings, load_settings
from ragnotes.turns import LAST

__all__ = ["history_app"]

LISTED = 20
MAX_LISTED = 1000

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
    ids = [line.id for line in _lines(ctx, settings, MAX_LISTED)] if everything else [_id(ctx, settings, conversation)]
    what = f"all {len(ids)} conversations" if everything else f"the conversation {ids[0]}"
    if ids and not yes and not typer.confirm(f"Delete {what}?", err=True):
        raise typer.Exit(Code.ERROR)
    while ids:
        for each in ids:
            _delete(ctx, settings, each)
        ids = [line.id for line in _lines(ctx, settings, MAX_LISTED)] if everything else []
    console.show_note(f"deleted {what}")


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
        lines.append(f"  {plain(turn.answer) or 'The notes did not say.'}")
        lines += [f"    {_place(place)}" for place in turn.cited]
    return lines


def _place(place: CitedPlaceJson) -> str:
    at = f":{place.line}" if place.line else f" p. {place.page}" if place.page else ""
    return plain(" · ".join(part for part in (f"{place.path}{at}", place.heading, place.date) if part))
