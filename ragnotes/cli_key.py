"""The command `key`: the API key of `serve`, made and revoked."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ragnotes import console
from ragnotes.running import Code
from ragnotes.service.keys import make_key, revoke_key
from ragnotes.settings import load_settings

__all__ = ["key"]


def key(
    *, revoke: Annotated[bool, typer.Option("--revoke", help="Make the key void, at once and for good.")] = False
) -> None:
    """Make the key that `serve` asks for, and print it this once: only its hash is kept."""
    file = load_settings({}).key_file
    if revoke:
        gone = revoke_key(file)
        console.show_note("the key is void" if gone else f"there is no key in {file}")
        raise typer.Exit(Code.DONE)
    typer.echo(make_key(file))
    console.show_note(f"this is shown once; its hash is in {file}")
    console.show_note("serve asks for it where other machines can call, and with --require-key on this one too")
    if os.environ.get("RAGNOTES_API_KEY"):
        console.show_note("RAGNOTES_API_KEY is set: serve takes that one as long as it is")
