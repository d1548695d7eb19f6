"""From a stretch of Markdown source to the words that a reader sees, and to the links in it.

Works on any stretch, also one cut out of the middle of a block, so it reads patterns and not a grammar. The result is
derived text: embedded, searched and shown, never counted in offsets.
"""

from __future__ import annotations

import html
import re
import string
from collections.abc import Iterator, Mapping

from ragnotes.reading.repair import repair_mojibake
from ragnotes.types import Link

__all__ = ["cells_of", "link_definitions", "mask_links", "placed_links", "plain_text"]

# Repeats are possessive and stop at the next opener of their kind, so that hostile text costs linear time.
_DESTINATION = r"(?:<[^<>\n]*+>|\{\{[^{}\n]*+\}\}|[^\s()]*+(?:\([^\s()]*+\)[^\s()]*+)*+)"
_INLINE_LINK = re.compile(
    rf"(?<!\\)!?\[((?:[^\[\]\\]|\\.|\[[^\[\]]*+\])*+)\]"
    rf"\(\s*+({_DESTINATION})(?:\s++(?:\"[^\"]*+\"|'[^']*+'|\([^()]*+\)))?\s*+\)"
)
_REFERENCE_LINK = re.compile(r"(?<![\w\]])!?\[([^\[\]\n]+)\]\[([^\[\]\n]*)\]")
_SHORTCUT_LINK = re.compile(r"(?<!\])\[([^\[\]\n]+)\](?![\[(:])")
_DEFINITION = re.compile(
    r"^ {0,3}\[(?!\^)([^\[\]\n]+)\]:[ \t]*+(<[^<>\n]*+>|\S++)"
    r"(?:[ \t]++(?:\"[^\"\n]*+\"|'[^'\n]*+'|\([^()\n]*+\)))?[ \t]*+$",
    re.MULTILINE,
)
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]+\]:?")
_INLINE_FOOTNOTE = re.compile(r"\^\[([^\[\]\n]+)\]")
_WIKILINK = re.compile(r"!?\[\[([^\[\]|\n]+)(?:\|([^\[\]\n]+))?\]\]")
_IMAGE_SIZE = re.compile(r"\d+(?:x\d+)?")
_AFTER_URL = r"\s<>\"'`|“”„‘’«»「」『』《》（）【】。，、；：！？…"
_TOP_LEVEL = "com|org|net|io|ai|dev|edu|gov|app|info|me|eu|uk|us|ca|de|ch|at|es|fr|it|nl|be|ly|gl|gg|tv|to|co|cc|fm|ac"
_BARE_URL = re.compile(
    rf"<?(?<![A-Za-z0-9_])((?:https?|ftp)://[^{_AFTER_URL}]+|www\.[^.{_AFTER_URL}][^{_AFTER_URL}]*)>?", re.IGNORECASE
)
_BARE_HOST = re.compile(rf"(?<![\w@/.:-])((?:[a-z0-9][a-z0-9-]*+\.)+(?:{_TOP_LEVEL})/[^{_AFTER_URL}]+)", re.IGNORECASE)
"""An address without its scheme, such as arxiv.org/abs/1706.03762: known endings only, and a path, since a dot may
stand between any two words."""
_MAIL = re.compile(r"<([\w.+-]++@[\w.-]++)>")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FRAME = re.compile(r"<(?:iframe|img|embed|video|audio|source)\b([^<>]*+)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(src|href|title|alt)\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_ANCHOR_TAG = re.compile(
    r"<a\b(?:(?!\bhref\b)[^<>])*+\bhref\s*+=\s*+(\"[^\"<>]*+\"|'[^'<>]*+'|[^\s\"'<>]++)[^<>]*+>((?:(?!<a\b|</a>).){0,500}+)</a>",
    re.IGNORECASE | re.DOTALL,
)
_LEADS_NOWHERE = re.compile(r"#|javascript:|data:", re.IGNORECASE)
_LINE_TAG = re.compile(r"</?(?:br|dd|div|dt|li|p|td|th|tr)\b[^<>\n]*>", re.IGNORECASE)
"""Tags that part words."""
_TAG = re.compile(r"</?[A-Za-z][\w:-]*+(?:\s[^<>\n]*+|/)?>")
_TEMPLATE = re.compile(r"\{\{[^{}]*+\}\}|\{%(?:(?!\{%|%\}).)*+%\}|\{:[^{}\n]*+\}", re.DOTALL)
_QUOTED = re.compile(r"[\"']([^\"'{}]+)[\"']")
_ENVIRONMENT = re.compile(
    r"^[ \t]*+\\(?:begin|end)\{\w+\*?\}(?:\[([^\[\]\n]*+)\])?(?:\\label\{[^{}\n]*+\})?[ \t]*+$", re.MULTILINE
)
_RULE = re.compile(
    r"^[ \t>]*+(?:(?:[-*_][ \t]*+){3,}+|=++[ \t]*+"
    r"|\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*+)$",
    re.MULTILINE,
)
_HEADING = re.compile(r"^[ \t>]*+#{1,6}[ \t].*$", re.MULTILINE)
_LINE_START = re.compile(
    r"^[ \t]*+(?:>[ \t]?)*+[ \t]*+(?:#{1,6}[ \t]+|(?:[-*+]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)?", re.MULTILINE
)
"""A number of four digits is a year that a wrapped line begins with."""
_CALLOUT = re.compile(r"\[![\w-]+\][+-]?[ \t]*")
_STRONG = re.compile(
    r"(?:(\*\*\*|\*\*|~~)|(?<![\w=])(__|==)(?![_=]))(?=\S)((?:(?!\1|\2).)++)(?<=\S)(?:\1|\2(?![\w=]))", re.DOTALL
)
_PAIRED = re.compile(r"[*_]|~~|==")
_EMPHASIS = re.compile(
    r"(?<![\w*])\*(?=[^\s*])((?:[^*\n]|\n(?!\s*\n))+?)(?<=[^\s*])\*(?![\w*])"
    r"|(?<![\w_])_(?=[^\s_])((?:[^_\n]|\n(?!\s*\n))+?)(?<=[^\s_])_(?![\w_])"
)
_CODE = re.compile(r"(?<![`\\])(`{1,3})(?!`)(.+?)(?<!`)\1(?!`)")
_MATH = re.compile(r"\$\$[^$]++\$\$|(?<![\w$\\])\$(?=[^\s$])[^$\n]++(?<=[^\s\\])\$(?![\w$])")
_FENCE = re.compile(r"^[ \t>]*+(?:```[^`\n]*+|~~~.*)$", re.MULTILINE)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w*);")
_SPACE = re.compile(r"[ \t\u00a0]+")
_QUOTE_MARKS = re.compile(r"^[ \t]*+(?:>[ \t]*+)+")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_TRAILING = ".,;:!?*_'\""

_MARKED = re.compile(r"[`~$\\<>*_=|\[\]{}#&\U000F0000-\U000FFFFD]|://|www\.|^[- \t+:\d]", re.MULTILINE | re.IGNORECASE)
"""Without any of these no pattern of `plain_text` finds a thing."""

_LITERAL = {ord(mark): 0xF0000 + ord(mark) for mark in string.punctuation}
"""Code, mathematics and escaped characters hide behind private characters while the patterns run."""
_RESTORED = {hidden: mark for mark, hidden in _LITERAL.items()}


def plain_text(source: str) -> str:
    """The words of a stretch of Markdown as a reader sees them; lines stay lines, URLs shrink to their host."""
    text = repair_mojibake(_without_marks(source) if _MARKED.search(source) else source)
    lines = (_SPACE.sub(" ", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _without_marks(source: str) -> str:
    """The source without its marks. Where the character is missing that a pattern begins with, it is not tried."""
    text = source
    if "`" in text or "~" in text:
        text = _CODE.sub(_code_words, _FENCE.sub("", text))
    if "$" in text:
        text = _MATH.sub(lambda match: match[0].translate(_LITERAL), text)
    if "\\" in text:
        text = _ESCAPE.sub(lambda match: match[1].translate(_LITERAL), text)
    if "<" in text:
        text = _FRAME.sub(_frame_words, _COMMENT.sub(" ", text))
    text = _RULE.sub("", text)
    if "[" in text:
        text = _without_brackets(text)
    if "{" in text:
        text = _ENVIRONMENT.sub(lambda match: match[1] or "", _TEMPLATE.sub(" ", text))
    text = _BARE_URL.sub(lambda match: _host(match[1]), text)
    if "<" in text:
        text = _MAIL.sub(r"\1", text)
    if "#" in text:
        text = _HEADING.sub(_without_closing_hashes, text)
    text = _CALLOUT.sub("", _LINE_START.sub("", text))
    if "<" in text:
        text = _TAG.sub("", _LINE_TAG.sub(" ", text))
    if _PAIRED.search(text):
        text = _STRONG.sub(r"\3", _STRONG.sub(r"\3", text))
        text = _EMPHASIS.sub(lambda match: match[1] or match[2], text)
    return _unescape(text).translate(_RESTORED)


def _without_brackets(source: str) -> str:
    """The source with the words of its links, and without the numbers of its footnotes."""
    text = _INLINE_LINK.sub(lambda match: match[1], source)
    text = _INLINE_LINK.sub(lambda match: match[1], text)  # an image inside a link
    text = _WIKILINK.sub(_wikilink_words, text)
    text = _DEFINITION.sub(lambda match: match[1], text)
    text = _REFERENCE_LINK.sub(lambda match: match[1], text)
    return _INLINE_FOOTNOTE.sub(r" (\1)", _FOOTNOTE.sub("", text))


def cells_of(row: str) -> list[str]:
    """The cells of a table row as a reader sees them; empty cells stay."""
    inner = _QUOTE_MARKS.sub("", row).strip()
    inner = inner[1:] if inner.startswith("|") else inner
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [plain_text(cell.replace("\\|", "|")).replace("\n", " ") for cell in _CELL_BORDER.split(inner)]


def placed_links(source: str, definitions: Mapping[str, str] | None = None) -> list[tuple[int, int, Link]]:
    """The links of a stretch of Markdown with their spans, in order.

    `definitions` resolves `[text][name]`; anchors within the page and wikilinks are no links.
    """
    names = definitions or {}
    unquoted = _CODE.sub(_blank, source)
    found: list[tuple[re.Match[str], str, str]] = []
    for match in _INLINE_LINK.finditer(unquoted):
        found.append((match, _destination(match[2]), source[match.start(1) : match.end(1)]))
    for match in _REFERENCE_LINK.finditer(unquoted):
        found.append((match, names.get((match[2] or match[1]).lower(), ""), match[1]))
    for match in _SHORTCUT_LINK.finditer(unquoted):
        found.append((match, names.get(match[1].lower(), ""), match[1]))
    for match in _ANCHOR_TAG.finditer(unquoted):
        found.append((match, match[1][1:-1] if match[1][0] in "\"'" else match[1], match[2]))
    for match in _FRAME.finditer(unquoted):
        attributes = _ATTRIBUTE.findall(match[1])
        found += [(match, value[1:-1], _frame_words(match)) for name, value in attributes if name.lower() == "src"]
    found += [(match, _without_trailing_punctuation(match[1]), "") for match in _bare_links(source)]
    links = [(match.start(), match.end(), Link(_unescape(url), _link_words(words))) for match, url, words in found]
    return sorted(link for link in links if link[2].url and not _LEADS_NOWHERE.match(link[2].url))


def _bare_links(source: str) -> Iterator[re.Match[str]]:
    """Addresses that stand in the text as they are, also in code, where they are what is fetched."""
    rest = _ANCHOR_TAG.sub(_blank, _INLINE_LINK.sub(_blank, source))
    yield from _BARE_URL.finditer(rest)
    yield from _BARE_HOST.finditer(_BARE_URL.sub(_blank, rest))


def _link_words(words: str) -> str:
    return " ".join(plain_text(words).split()) if words else ""


def _destination(written: str) -> str:
    """The URL of an inline link; of a template (`{{ "/about/" | url }}`) what it quotes."""
    template = _QUOTED.search(written) if written.startswith("{{") else None
    return template[1] if template else _ESCAPE.sub(r"\1", written.strip("<>"))


def link_definitions(source: str) -> dict[str, str]:
    """The `[name]: url` lines of a document, by lower-cased name."""
    return {match[1].lower(): match[2].strip("<>") for match in _DEFINITION.finditer(source)}


def mask_links(source: str) -> str:
    """The text with URLs, link brackets and code overwritten by `x`, length kept: no dot in one ends a sentence."""
    masked = list(source)
    spans = []
    for match in _INLINE_LINK.finditer(source):
        spans += [(match.start(), match.start(1)), (match.end(1), match.end())]
    for match in _BARE_URL.finditer(source):
        spans.append((match.start(1), match.start(1) + len(_without_trailing_punctuation(match[1]))))
    spans += [match.span() for match in _CODE.finditer(source)]
    for start, end in spans:
        masked[start:end] = "x" * (end - start)
    return "".join(masked)


def _frame_words(match: re.Match[str]) -> str:
    attributes = {name.lower(): value[1:-1] for name, value in _ATTRIBUTE.findall(match[1])}
    return f" {attributes.get('title') or attributes.get('alt') or ''} "


def _code_words(match: re.Match[str]) -> str:
    return _BARE_URL.sub(lambda url: _host(url[1]), match[2]).translate(_LITERAL)


def _wikilink_words(match: re.Match[str]) -> str:
    """The alias, which for an image may be its size, or the page with the heading in it that is meant."""
    alias = match[2]
    if alias and not (match[0].startswith("!") and _IMAGE_SIZE.fullmatch(alias)):
        return alias
    return " > ".join(part.strip() for part in match[1].split("#") if part.strip())


def _without_closing_hashes(match: re.Match[str]) -> str:
    line = match[0].rstrip()
    words = line.rstrip("#")
    return words if words.endswith((" ", "\t")) else line


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _unescape(text: str) -> str:
    """HTML entities resolved where a semicolon ends them: `&copy=1` is a part of a URL."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _host(url: str) -> str:
    kept = _without_trailing_punctuation(url)
    rest = re.sub(r"^\w+://(?:www\.)?|^www\.", "", kept, flags=re.IGNORECASE)
    return re.split(r"[/?#]", rest, maxsplit=1)[0] + url[len(kept) :]


def _without_trailing_punctuation(url: str) -> str:
    """`url` without what belongs to the sentence around it; a closing parenthesis stays where one opens in the URL."""
    unopened = url.count(")") - url.count("(")
    end = len(url)
    while end and (url[end - 1] in _TRAILING or (url[end - 1] == ")" and unopened > 0)):
        end -= 1
        unopened -= url[end] == ")"
    return url[:end]
