"""The field names of contract.md, as sets."""

_PLACE = {"doc_id", "path", "title", "kind", "heading", "line", "page", "t_start", "t_end", "speaker", "date"}
HIT = _PLACE | {"rank", "score", "cosine", "bm25", "signals", "start", "end", "text", "links"}
HIT |= {"before", "after", "also"}
CITATION = _PLACE | {"n", "start", "end", "quote", "links", "score", "support"}
SENTENCE = {"text", "citations", "support"} | {"own_line"}
FILTERS = {"since", "until", "source", "tags", "paths", "kinds", "speakers"} | {"order"}
ANSWER = (
    {"question", "answered", "reason", "answer", "mode", "sentences", "citations", "passages", "filters", "model"}
    | {"generation", "timings_ms", "usage"}
    | {"left_out", "reread", "unmatched", "total", "more", "rewritten", "conversation_id", "confidence"}  # ours
)
FOUND = {"query", "hits", "filters", "generation", "timings_ms"} | {"left_out", "reread", "unmatched"}
_FILES = {"added", "changed", "moved", "removed", "unchanged", "skipped", "failed"}
SUMMARY = _FILES | {"embedded", "chunks", "seconds", "generation"}
STATUS = {"files", "counts", "generation", "embedder", "model"} | {"calibration"}  # ours
FILE = {"path", "status", "reason", "chunks", "indexed_at"}
JOB = {"id", "state", "progress", "summary", "error"}
PROBLEM = {"type", "title", "status", "detail", "hint"}
