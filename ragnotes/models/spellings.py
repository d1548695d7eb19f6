"""Spellings of control tokens in texts that a server renders: one that reads them as such must find none."""

from __future__ import annotations

import re

__all__ = ["harmless"]

_CONTROL = re.compile(
    r"<(?=[|｜/\w][^<>\s]{0,60}>)"  # <|im_end|> </s> <start_of_turn> <｜User｜>
    r"|\[(?=/?[A-Za-z]{0,2}[A-Z_]{3,30}\])"  # [INST] [/INST] [gMASK]
    r"|\[(?=[|｜@][^\[\]\s]{1,60}\])"  # [|user|] [|endofturn|] [@BOS@]
    r"|\[(?=[A-Za-z_]{2,20}\d{1,6}\])"  # [unused0] [control_8] [PAD151645]
    r"|\[(?=[a-z]{1,8}~[\[\]])|\](?=~!?[a-z]{1,8}[\[\]])"  # [e~[ ]~b] ]~!b[
)


def harmless(text: str) -> str:
    """The text with a space after the first sign of whatever may spell a control token, also in tags."""
    return _CONTROL.sub(lambda mark: f"{mark[0]} ", text)
