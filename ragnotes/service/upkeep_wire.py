"""The JSON of the commands that look after an index: `check`, `repair` and `forget`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ragnotes.service.shapes import Name

__all__ = ["CheckJson", "FindingJson", "ForgottenJson", "RepairJson"]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)


class FindingJson(_Wire):
    kind: str
    where: Name
    problem: Name
    advice: str


class CheckJson(_Wire):
    """`whole` is whether nothing was found."""

    whole: bool
    findings: list[FindingJson]
    generation: int
    documents: int
    chunks: int


class RepairJson(_Wire):
    """`repaired` is whether anything had to be done; `dropped` are the paths that the next `index` reads again."""

    repaired: bool
    done: list[str]
    dropped: list[Name]
    lost: list[str]
    vectors: int
    moved_to: Name | None


class ForgottenJson(_Wire):
    """`conversations` cite the file; `deleted` says whether they are gone too.

    `cleared` is whether no trace of the text is left in the files of the index; else a later `index` sees to it.
    """

    path: Name
    chunks: int
    conversations: list[str]
    deleted: bool
    cleared: bool
    generation: int
