"""The commands that look after an index: `check`, `repair` and `forget`. None of them loads a model."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from ragnotes import console
from ragnotes.forgetting import Forgotten, forget, remember_again
from ragnotes.options import IndexOption, JsonOption
from ragnotes.running import Code, opened, print_json
from ragnotes.service.upkeep_wire import CheckJson, FindingJson, ForgottenJson, RepairJson
from ragnotes.service.wording import plain
from ragnotes.settings import load_settings

__all__ = ["check", "forget_file", "repair"]


def check(*, index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Tell whether the index is whole; changes nothing. Exit code 1 means that it is damaged."""
    from ragnotes.stores.integrity import examine

    settings = load_settings({"index": index})
    with console.working("checking"):
        found = examine(settings.index)
    shown = CheckJson(
        whole=not found.findings,
        findings=[FindingJson.model_validate(each) for each in found.findings],
        generation=found.generation,
        documents=found.documents,
        chunks=found.chunks,
    )
    if as_json:
        print_json(shown)
    else:
        console.show_lines(_check_lines(shown))
    raise typer.Exit(Code.DONE if shown.whole else Code.ERROR)


def repair(*, index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Repair a damaged index, and tell what `index` has to read again. Nothing is deleted that cannot be made anew."""
    from ragnotes.stores.repair import repair as repair_index

    settings = load_settings({"index": index})
    with console.working("repairing"):
        found = repair_index(settings.index, datetime.now())
    shown = RepairJson(
        repaired=found.repaired,
        done=list(found.done),
        dropped=list(found.dropped),
        lost=list(found.lost),
        vectors=found.vectors,
        moved_to=str(found.moved_to) if found.moved_to else None,
    )
    if as_json:
        print_json(shown)
    else:
        console.show_lines(_repair_lines(shown))


def forget_file(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="As `status` lists it.", show_default=False)],
    *,
    conversations: Annotated[bool, typer.Option("--conversations", help="Delete what cites it too.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Let `index` read it again.")] = False,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a file's text out of the index for good, and skip the file from now on. The file itself stays."""
    with opened(ctx.obj, load_settings({"index": index})) as library:
        if undo:
            console.show_note(f"{remember_again(library.store(), path)} is read again by: ragnotes index")
            return
        done = forget(library.store(), library.conversations, path, with_conversations=conversations)
    if as_json:
        print_json(ForgottenJson.model_validate(done))
    else:
        console.show_lines(_forgotten_lines(done))


def _check_lines(found: CheckJson) -> list[str]:
    lines = [f"{plain(each.where)}: {plain(each.problem)}; {each.advice}" for each in found.findings]
    held = f"{found.documents} documents, {found.chunks} passages, generation {found.generation}"
    return [*lines, f"whole: {held}" if found.whole else f"damaged: {len(lines)} findings; {held}"]


def _repair_lines(found: RepairJson) -> list[str]:
    lines = [*found.done, *(f"lost: {plain(each)}" for each in found.lost)]
    if found.moved_to:
        lines.append(f"{found.vectors} vectors were kept")
        lines.append(f"{plain(found.moved_to)} holds text of your notes: delete it when all is well again")
    if found.dropped:
        lines.append(f"to be read again: {', '.join(map(plain, found.dropped))}")
    return [*lines, "now run: ragnotes index"] if found.repaired else [*lines, "there is nothing to repair"]


def _forgotten_lines(done: Forgotten) -> list[str]:
    lines = [
        f"{plain(done.path)}: {done.chunks} passages were taken out of the index, and the file is skipped from now on",
        "the file itself is as it was; a copy of it, or the same file under another name, is another file",
    ]
    if not done.cleared:
        lines.append("traces of the text are still in the files of the index: see the log, then run: ragnotes index")
    if done.conversations:
        told = "were deleted too" if done.deleted else "cite it and still tell of it: forget --conversations"
        lines.append(f"{len(done.conversations)} kept conversations {told}")
    return lines
