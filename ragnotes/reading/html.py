"""HTML pages: bytes to a Document whose text is what a browser shows, one block on its own lines.

Lists are written as "- item", table rows as "cell | cell", links as "[text](address)", as the rest of ragnotes reads
them in notes. Scripts, styles, navigation and form controls are left out. The tree is walked without recursion.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ragnotes.dates import DatedLine, DayMonthOrder, date_marks, date_of_path, date_of_value
from ragnotes.errors import LoadError
from ragnotes.places import HEADING_SEPARATOR
from ragnotes.reading.decoding import decode
from ragnotes.reading.extraction import trimmed, without_controls
from ragnotes.reading.identity import document_id, sha256_of, stem_title
from ragnotes.reading.markup import cells_of
from ragnotes.reading.tables import labelled
from ragnotes.types import Block, BlockKind, Document, HeadingMark, Kind, Mark, Metadata

__all__ = ["load_html"]

_LEFT_OUT_TAGS = """
    audio button canvas dialog embed head iframe math nav noscript object script select style svg template textarea
    video
"""
_LEFT_OUT = frozenset(_LEFT_OUT_TAGS.split())
_BLOCK_TAGS = """
    address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu ol p pre section summary table tbody tfoot thead tr ul
    """
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_NOT_IN_ROWS = frozenset({*_HEADINGS, "blockquote", "li", "ol", "pre", "table", "ul"})
"""A table row that holds one of these lays out a page; it is read as its parts."""
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_TAGS = re.compile(r"<(?:(?P<comment>!--)|(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*))")
_RAW = frozenset({"script", "style"})
_UNNESTED_TAGS = """
    area base body br col colgroup dd dt embed head hr html img input li link meta option p param source tbody td
    tfoot th thead tr track wbr
"""
_UNNESTED = frozenset(_UNNESTED_TAGS.split())
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((?:https?:|mailto:)[^()\s]*\)", re.IGNORECASE)
_DEEPEST = 3000
_LEAD_CHARS = 80


def load_html(content: bytes, path: str, *, order: DayMonthOrder | None = None) -> Document:
    """The visible text of an HTML page. Raises LoadError: "undecodable", or "too_deep" for absurd nesting.

    `order` is as for Markdown.
    """
    source = _decoded(content)
    if _depth(source) > _DEEPEST:  # lexbor takes time that grows with the square: 82 s for 200,000 levels
        raise LoadError("too_deep", f"its elements are nested more than {_DEEPEST} deep")
    tree = LexborHTMLParser(source)
    page = _Page()
    for node, entering in _walk(tree.root):
        page.enter(node) if entering else page.leave(node)
    page.flush()
    title = _title(tree) or next((mark.path[0] for mark in page.headings if len(mark.path) == 1), "")
    metadata = _metadata(tree, path, order)
    text = "".join(page.text)
    dated = [DatedLine(mark.start, mark.start, len(mark.path), 0, mark.path[-1]) for mark in page.headings]
    marks: list[Mark] = [*page.headings, *date_marks(dated, base=metadata.date, text=text, order=order)]
    return Document(
        doc_id=document_id(path),
        path=path,
        kind=Kind.NOTE,
        title=title or stem_title(path),
        titled=bool(title),
        text=text,
        sha256=sha256_of(content),
        marks=tuple(sorted(marks, key=lambda mark: mark.start)),
        blocks=tuple(page.blocks),
        metadata=metadata,
    )


def _decoded(content: bytes) -> str:
    """The page's text: UTF-8 and byte order marks first, since they cannot be mistaken, then what the page states."""
    label = _META_CHARSET.search(content, 0, 2048)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        if label and b"\0" not in content:
            name = label[1].decode("ascii").lower()
            name = "cp1252" if name in ("iso-8859-1", "latin1", "us-ascii", "ascii") else name
            try:
                if codecs.lookup(name).name not in ("utf-8", "utf-16", "utf-32"):
                    return content.decode(name)
            except (LookupError, ValueError):
                pass  # a charset that does not exist, or is not the page's: decode finds a better one
    return decode(content).text


def _depth(source: str) -> int:
    """How deep tags nest, at least roughly: elements whose end may be left out do not count."""
    depth = deepest = 0
    lowered = source.lower()
    match = _TAGS.search(lowered)
    while match:
        name, after = match["name"], match.end()
        if match["comment"] or (name in _RAW and not match["end"]):
            after = lowered.find("-->" if match["comment"] else f"</{name}", after)
            if after < 0:
                break
        elif name not in _UNNESTED:
            depth = max(0, depth - 1) if match["end"] else depth + 1
            deepest = max(deepest, depth)
        match = _TAGS.search(lowered, after)
    return deepest


def _walk(root: LexborNode | None) -> Iterator[tuple[LexborNode, bool]]:
    """Every node that is shown, in order: (node, True) before its children, (node, False) after them."""
    stack = [(root, True)] if root is not None else []
    while stack:
        node, entering = stack.pop()
        if not entering:
            yield node, False
            continue
        if node.next is not None:
            stack.append((node.next, True))
        if node.tag in _LEFT_OUT or "hidden" in node.attributes:
            continue
        yield node, True
        stack.append((node, False))
        if node.first_child is not None:
            stack.append((node.first_child, True))


@dataclass(slots=True)
class _Table:
    """An open table, or a row of it: `header` is its head row, `cells` counts the cells of the open row, if any."""

    header: str = ""
    cells: int | None = None
    heads: int = 0
    rows: int = 0


@dataclass(slots=True)
class _Page:
    """What has been read so far, and the containers that are open."""

    text: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    headings: list[HeadingMark] = field(default_factory=list)
    _length: int = 0
    _pieces: list[str] = field(default_factory=list)  # of the block at hand
    _links: list[tuple[int, str]] = field(default_factory=list)  # open links: where in _pieces, and to what
    _path: list[tuple[int, str]] = field(default_factory=list)
    _level: int = 0
    _quotes: int = 0
    _verbatim: int = 0
    _items: list[str] = field(default_factory=list)  # open list items: the first line of each, empty until read
    _tables: list[_Table] = field(default_factory=list)

    def enter(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if node.is_text_node:
            words = without_controls(node.text_content or "")
            self._pieces.append(words if self._verbatim else re.sub(r"\s+", " ", words))
        elif tag == "br":
            self._pieces.append("\n")
        elif tag == "a":
            self._links.append((len(self._pieces), _address(node)))
        elif tag in ("td", "th"):
            self._cell(tag)
        elif tag in _BLOCKS:
            self._open(tag)

    def leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "a":
            self._close_link(*self._links.pop())
        elif tag in ("td", "th"):
            if not self._in_row():
                self.flush()
        elif tag in _BLOCKS:
            self._close(tag)

    def flush(self) -> None:
        """End the block at hand, if it has any text."""
        words = "".join(self._pieces)
        if self._verbatim:
            words = words.strip("\n").rstrip()
        else:
            words = re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", words)).strip()
        self._pieces.clear()
        self._links = [(0, "") for _ in self._links]  # a link around several blocks keeps its text only
        if words.strip(" |") if self._in_row() else words.strip():
            self._add(words)

    def _open(self, tag: str) -> None:
        if self._in_row() and tag in _NOT_IN_ROWS:
            self._tables[-1].cells = None
        elif self._in_row() and tag not in ("tr", "tbody", "thead", "tfoot"):
            self._pieces.append(" ")
            return
        self.flush()
        if tag in _HEADINGS:
            self._level = _HEADINGS[tag]
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "pre":
            self._verbatim += 1
        elif tag == "li":
            self._items.append("")
        elif tag == "table":
            self._tables.append(_Table())
        elif tag == "tr" and self._tables:
            self._tables[-1].cells, self._tables[-1].heads = 0, 0

    def _close(self, tag: str) -> None:
        if self._in_row() and tag not in ("tr", "table"):
            self._pieces.append(" ")
            return
        self.flush()
        if tag in _HEADINGS:
            self._level = 0
        elif tag == "blockquote":
            self._quotes -= 1
        elif tag == "pre":
            self._verbatim -= 1
        elif tag == "li":
            self._items.pop()
        elif tag == "table":
            self._tables.pop()
        elif tag == "tr" and self._tables:
            self._tables[-1].cells = None

    def _in_row(self) -> bool:
        return bool(self._tables) and self._tables[-1].cells is not None

    def _cell(self, tag: str) -> None:
        if not self._in_row():
            self.flush()
            return
        table = self._tables[-1]
        if table.cells:
            self._pieces.append(" | ")
        table.cells = (table.cells or 0) + 1
        table.heads += tag == "th"

    def _close_link(self, first: int, address: str) -> None:
        inner = "".join(self._pieces[first:])
        if address and inner.strip() and not self._verbatim:
            left, right = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
            self._pieces[first:] = [f"{left}[{' '.join(inner.split())}]({address}){right}"]

    def _add(self, words: str) -> None:
        """Write `words` as a block of the kind that the open containers make it."""
        kind = self._kind()
        depth = max(0, len(self._items) - 1)
        lead = HEADING_SEPARATOR.join(item[:_LEAD_CHARS] for item in self._items[:-1] if item)
        if kind is BlockKind.ROW:
            words, lead = " ".join(words.split()), self._row_lead(words)
        elif kind is BlockKind.ITEM:
            bullet = "  " if self._items[-1] else "- "
            self._items[-1] = self._items[-1] or _unlinked(words.split("\n")[0])
            words = "  " * depth + bullet + words
        last = self.blocks[-1].kind if self.blocks else None
        joint = "" if last is None else "\n" if last is kind and kind in (BlockKind.ITEM, BlockKind.ROW) else "\n\n"
        start, end = trimmed(words, 0, len(words))
        start, end = (self._length + len(joint) + offset for offset in (start, end))
        self.text += [joint, words]
        self._length += len(joint) + len(words)
        shown = labelled(cells_of(lead), cells_of(words)) if kind is BlockKind.ROW and lead else ""
        self.blocks.append(Block(start, end, kind, depth if kind is BlockKind.ITEM else 0, lead, shown))
        if kind is BlockKind.HEADING:
            name = _unlinked(words)
            self._path = [*((level, title) for level, title in self._path if level < self._level), (self._level, name)]
            self.headings.append(HeadingMark(start, tuple(title for _, title in self._path)))

    def _kind(self) -> BlockKind:
        if self._in_row():
            return BlockKind.ROW
        if self._verbatim:
            return BlockKind.CODE
        if self._level:
            return BlockKind.HEADING
        if self._items:
            return BlockKind.ITEM
        return BlockKind.QUOTE if self._quotes else BlockKind.PARAGRAPH

    def _row_lead(self, words: str) -> str:
        """The header row that explains this row; a first row of nothing but header cells is that row."""
        table = self._tables[-1]
        table.rows += 1
        if table.rows == 1 and table.heads == table.cells:
            table.header = _unlinked(words)
            return ""
        return table.header


def _unlinked(words: str) -> str:
    return " ".join(_LINK.sub(r"\1", words).split())


def _address(node: LexborNode) -> str:
    """Where a link leads, as Markdown writes it; empty for what is no web or mail address."""
    target = without_controls("".join((node.attributes.get("href") or "").split()))
    if not re.match(r"(?:https?://|mailto:)\S", target, re.IGNORECASE):
        return ""
    return target.replace("(", "%28").replace(")", "%29")


def _title(tree: LexborHTMLParser) -> str:
    stated = tree.css_first("head > title")
    return " ".join(without_controls(stated.text()).split()) if stated is not None else ""


def _metadata(tree: LexborHTMLParser, path: str, order: DayMonthOrder | None) -> Metadata:
    page, author = tree.css_first("html[lang]"), tree.css_first("meta[name=author]")
    language = page.attributes.get("lang") if page is not None else None
    name = author.attributes.get("content") if author is not None else None
    stated = tree.css_first("meta[property='article:published_time'], meta[name=date], meta[name='dcterms.date']")
    day = date_of_value(stated.attributes.get("content"), order=order) if stated is not None else None
    return Metadata(
        author=" ".join((name or "").split()) or None,
        date=day or date_of_path(path, order=order),
        language=(language or "").strip() or None,
    )
