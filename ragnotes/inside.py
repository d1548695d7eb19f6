"""Where a path from outside meets the disk: a path of an index, a request or an archive, under a folder or nowhere."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

__all__ = ["resolve_inside"]


def resolve_inside(root: Path, path: str) -> Path | None:
    """The absolute place of a posix path relative to `root`; None where that is not inside it.

    Neither `..` nor an absolute path nor a folder that is a link leads out. What stands last may itself be a link, and
    is not followed: whoever opens it does so with O_NOFOLLOW. Nothing needs to exist there.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        return None
    try:
        inside = root.resolve()
        folder = inside.joinpath(*parts[:-1]).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or no name that a file could have
        return None
    return folder / parts[-1] if folder.is_relative_to(inside) else None
