"""The command `doctor`: what keeps ragnotes from working here, and what mends it."""

from __future__ import annotations

import typer

from ragnotes import console
from ragnotes.options import CorpusOption, EmbedderOption, IndexOption, JsonOption, ModelOption, ModelUrlOption
from ragnotes.running import Code, opened, print_json
from ragnotes.settings import load_settings

__all__ = ["doctor"]


def doctor(
    ctx: typer.Context,
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    embedder: EmbedderOption = None,
    model: ModelOption = None,
    model_url: ModelUrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at notes, index, models, disk and port; tell what is wrong and what mends it. Changes nothing."""
    from ragnotes.doctor import State, examined

    flags = {"corpus": corpus, "index": index, "embedder": embedder, "model": model, "model_url": model_url}
    settings, findings = load_settings(flags), []
    with opened(ctx.obj, settings) as library:
        for finding in examined(settings, library):
            findings.append(finding)
            if not as_json:
                console.show_lines([f"{finding.state:8} {finding.name}: {finding.told}"])
                console.show_lines([f"{'':8} -> {finding.mend}"] if finding.mend else [])
    if as_json:
        print_json(findings)
    raise typer.Exit(Code.ERROR if any(each.state is State.PROBLEM for each in findings) else Code.DONE)
