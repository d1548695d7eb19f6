"""What a person does not want read: `.ragnotesignore` files, in gitignore's syntax, in any folder of the notes.

A file's patterns hold for its folder and all below it; the nearest file that says anything of a path decides, and in
it the last pattern. What lies in an ignored folder cannot be taken back in, as with git. (pathspec)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

__all__ = ["IGNORE_FILE", "NO_RULES", "Rules"]

IGNORE_FILE = ".ragnotesignore"

_FOLDER_MARK = "ps_d"
"""The group, in the expression that pathspec makes of a pattern, that is the slash behind a folder that it names."""
_ANY_FOLDER = f"(?P<{_FOLDER_MARK}>/)"
"""The expression of `*/` and `**/`."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The patterns in force in a folder: each with the folder of its file, from the outermost to the nearest."""

    files: tuple[tuple[str, Sequence[GitIgnoreSpecPattern]], ...] = ()

    def and_those(self, folder: str, content: bytes) -> Rules:
        """These rules and those of an ignore file in `folder`, a path that ends in a slash, or "" for the root."""
        text = content.decode("utf-8-sig", "surrogateescape")
        patterns = [pattern for line in text.split("\n") for pattern in _patterns(line.removesuffix("\r"))]
        return Rules((*self.files, (folder, patterns[::-1]))) if patterns else self

    def ignore(self, path: str) -> bool:
        """Whether the file, or the folder whose path ends in a slash, is ignored; its folders are known not to be."""
        for folder, patterns in reversed(self.files):
            # In a name a line break is a character as any other, in the expressions that patterns become it is not.
            relative = path[len(folder) :].replace("\n", "\1")
            for pattern in patterns:
                if _names(pattern, relative):
                    return bool(pattern.include)
        return False


NO_RULES = Rules()


def _names(pattern: GitIgnoreSpecPattern, path: str) -> bool:
    """Whether the pattern matches this very path, not merely a folder that it lies in.

    pathspec takes both alike. Then a folder that is taken back in would take back what is in it, whatever other
    patterns say of that.
    """
    found = pattern.match_file(path)
    if found is None or found.match.groupdict().get(_FOLDER_MARK) is None:
        return found is not None
    return found.match.end(_FOLDER_MARK) == len(path) or (found.match.re.pattern == _ANY_FOLDER and path[-1] == "/")


def _patterns(line: str) -> Sequence[GitIgnoreSpecPattern]:
    """The pattern in a line; [] for a comment, and for what is no pattern, which git passes over too."""
    try:
        pattern = GitIgnoreSpecPattern(line)
    except GitIgnorePatternError:
        return []
    return [] if pattern.include is None else [pattern]
