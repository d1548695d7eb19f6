"""The child process that owns a llama.cpp context: the only module that imports llama_cpp.

`generator_process` runs it as `python -m ragnotes.models.llama_cpp`. Both sides write JSON objects, one a line:

    in   {path, threads, context_tokens}                       the first line
    out  {context_tokens, template, template_tokens, vocabulary} or {error, hint}      once; an error ends the child
    in   {op: generate, id, segments: [[text, control]], shared, max_tokens}
    out  {id, texts} …, then {id, done, prompt_tokens, kept_tokens, tokens, finish} or {id, error}
    in   {op: encode, id, segments}     out {id, ids}          the ids of a prompt
    in   {op: cancel, id}                                      also within a decode; ids only ever grow
    in   {op: tokenize, id, text}       out {id, ids}          answered at once, also during a draft

The end of stdin ends the process at once, so that a child never outlives its parent. Decoding is greedy. A draft
depends on its prompt only, never on the prompts before it: see `_BLOCK`.
"""

from __future__ import annotations

import codecs
import ctypes
import json
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, takewhile
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TextIO

from ragnotes.models.chat_template import template_of
from ragnotes.models.memory import available_bytes, context_bytes, size_text
from ragnotes.models.slots import Slot
from ragnotes.models.templates import CHATML, PLAIN, Template
from ragnotes.models.thread_choice import ThreadChoice

__all__ = ["main"]

_BLOCK = 256
"""Tokens per decode of a prompt, and the grain in which a prompt's state is kept for the next.

Logits depend on how a prompt was cut into decodes: a prefix of 130 tokens kept as it was moved them by 0.6 with the
bundled model, enough for another answer. So cuts depend on the prompt alone: one where its instructions end, which
all prompts share, and whole blocks before and after it. Kept at those cuts, logits are equal bit for bit. On two cores
it reads 365 tokens a second at 64, 399 at 256 and 401 at 512, whose buffers take twice the memory.
"""
_TELL_S = 0.03
"""Tokens are told so often: on two cores, to wake the reader for each one held up the writer by a tenth."""
_SPARE_BYTES = 128 * 1024**2  # what llama.cpp takes besides: buffers for one block, the vocabulary
_NO_ROOM = "choose a smaller or more strongly quantised file with --model, or set a smaller context_tokens"


class _Cancelled(Exception):
    """llama.cpp stopped because the abort callback said so."""


class _LoadFailed(Exception):
    """The model cannot be used; the message says why, and `hint`, where there is one, what to do."""

    def __init__(self, problem: str, hint: str | None = None) -> None:
        super().__init__(problem)
        self.hint = hint


class _Model:
    """A model, its vocabulary and one context. All but `tokenize` belong to one thread."""

    def __init__(self, path: str, *, threads: int, context_tokens: int) -> None:
        import llama_cpp

        self._lib: Any = llama_cpp
        self._log: deque[str] = deque(maxlen=4)
        # ctypes callbacks live as long as the context: collected earlier, they would crash it.
        self._log_callback = llama_cpp.llama_log_callback(self._on_log)
        # llama.cpp asks at each of some 500 steps of a decode whether to go on. A function of Python there took a tenth
        # of the time; of C's own, strlen says 0 of a flag that is not set, and 1 of one that is.
        self._flag = ctypes.create_string_buffer(2)
        self._abort_callback = ctypes.cast(ctypes.CDLL(None).strlen, llama_cpp.ggml_abort_callback)
        llama_cpp.llama_log_set(self._log_callback, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self._file_bytes = Path(path).stat().st_size
        self._check_room(self._file_bytes, "for its file alone", available_bytes())
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), llama_cpp.llama_model_default_params())
        if not self._model:
            raise _LoadFailed(self._log[0] if self._log else "llama.cpp gives no reason")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._context = self._open(threads, context_tokens)
        self._memory = llama_cpp.llama_get_memory(self._context)
        if not self._memory:
            raise _LoadFailed("this model embeds text, it cannot write any")
        self._sampler = llama_cpp.llama_sampler_init_greedy()
        llama_cpp.llama_set_abort_callback(
            self._context, self._abort_callback, ctypes.cast(self._flag, ctypes.c_void_p)
        )
        self.context_tokens = int(llama_cpp.llama_n_ctx(self._context))
        self.kept_tokens = 0
        """Of the last prompt, how many tokens were known."""
        self._threads = threads
        self._choice = ThreadChoice(threads)
        self._kept: list[int] = []
        self._kept_cuts: list[int] = []
        self.template, self.template_tokens = self._template()

    def _on_log(self, level: int, text: bytes, _data: object) -> None:
        line = "".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace")).strip()
        if level == 4 and line:  # GGML_LOG_LEVEL_ERROR; the first line is the cause, the next ones its consequences
            self._log.append(line)

    def _open(self, threads: int, context_tokens: int) -> object:
        parameters = self._lib.llama_context_default_params()
        trained = int(self._lib.llama_model_n_ctx_train(self._model))
        parameters.n_ctx = min(context_tokens, trained) if trained > 0 else context_tokens
        needed = self._file_bytes + self._context_bytes(parameters.n_ctx)
        available = available_bytes(mapped_bytes=self._file_bytes)
        self._check_room(needed, f"with a context of {parameters.n_ctx} tokens", available)
        parameters.n_batch = parameters.n_ubatch = _BLOCK
        parameters.n_threads = parameters.n_threads_batch = threads
        # Flash attention cuts a token's work by the number of threads, which changes logits: without it any number
        # gives the same bits.
        parameters.flash_attn_type = self._lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        context = self._lib.llama_init_from_model(self._model, parameters)
        if not context:
            why = self._log[0] if self._log else "out of memory?"
            raise _LoadFailed(f"no context of {parameters.n_ctx} tokens: {why}")
        return context

    def _check_room(self, needed: int, what: str, available: int | None) -> None:
        if available is not None and needed + _SPARE_BYTES > available:
            problem = f"it needs {size_text(needed + _SPARE_BYTES)} of memory {what}"
            raise _LoadFailed(f"{problem}, and {size_text(available)} are free", _NO_ROOM)

    def _context_bytes(self, tokens: int) -> int:
        heads, kv_heads = int(self._lib.llama_model_n_head(self._model)), self._lib.llama_model_n_head_kv(self._model)
        usual = self._lib.llama_model_n_embd(self._model) // max(1, heads)
        attention = f"{self._metadata('general.architecture')}.attention"
        lengths = [self._metadata(f"{attention}.{name}_length") for name in ("key", "value")]
        key, value = (int(length) if length.isdecimal() else usual for length in lengths)
        layers = self._lib.llama_model_n_layer(self._model)
        scores = 4 * heads * _BLOCK * tokens  # of a block's tokens for the whole context, without flash attention
        return scores + context_bytes(tokens=tokens, layers=layers, heads=kv_heads, key_length=key, value_length=value)

    def stop(self, wanted: bool) -> None:
        """Whether the decode at hand, and any after it, is to be broken off. Any thread may call this."""
        self._flag[0] = b"\x01" if wanted else b"\0"

    def tokenize(self, text: str, *, control: bool = False) -> list[int]:
        """Token ids without a begin token. Reads the vocabulary only, so any thread may call it at any time."""
        content = text.encode("utf-8", "replace")
        ids = (self._lib.llama_token * (len(content) + 8))()
        length = self._lib.llama_tokenize(self._vocab, content, len(content), ids, len(ids), False, control)
        if length < 0:
            raise ValueError(f"llama.cpp gives {-length} tokens for {len(content)} bytes")
        return ids[:length]  # type: ignore[no-any-return]

    def prompt(self, segments: Sequence[tuple[str, bool]]) -> list[int]:
        """Token ids of a prompt: only control segments can become control tokens."""
        ids = [token for text, control in segments for token in self.tokenize(text, control=control)]
        bos = int(self._lib.llama_vocab_bos(self._vocab))
        if self._lib.llama_vocab_get_add_bos(self._vocab) and ids[:1] != [bos]:  # many templates write it themselves
            ids.insert(0, bos)
        return ids

    def draft(
        self, prompt: Sequence[int], shared: int, max_tokens: int, reading: Callable[[], None]
    ) -> Iterator[bytes]:
        """The bytes of each token, to the end of the answer or `max_tokens`. Raises _Cancelled.

        The first `shared` tokens are those that most prompts begin with. `reading` is called after each block of the
        prompt.
        """
        self.kept_tokens = 0
        try:
            self.kept_tokens = self._read(prompt, shared, reading)
            for written in range(1, max_tokens + 1):
                token = self._lib.llama_sampler_sample(self._sampler, self._context, -1)
                if self._lib.llama_vocab_is_eog(self._vocab, token):
                    return
                yield self._piece(token)
                if written < max_tokens:
                    self._write(token)
        except Exception:  # after an abort nothing is known of the state
            self._lib.llama_memory_clear(self._memory, True)
            self._kept = []
            raise

    def _read(self, prompt: Sequence[int], shared: int, reading: Callable[[], None]) -> int:
        """Reads the prompt and returns how many of its tokens were known from the prompt before."""
        cuts = _cuts(len(prompt), shared)
        start = self._known(prompt, cuts)
        if not self._lib.llama_memory_seq_rm(self._memory, -1, start, -1):  # recurrent models cannot forget in part
            self._lib.llama_memory_clear(self._memory, True)
            start = 0
        ends = [*(cut for cut in cuts if start < cut < len(prompt)), len(prompt)]
        for begin, end in pairwise((start, *ends)):
            self._decode(prompt[begin:end])
            reading()
        self._kept, self._kept_cuts = list(prompt), cuts
        return start

    def _known(self, prompt: Sequence[int], cuts: Sequence[int]) -> int:
        """The last cut up to which this prompt and the one before are equal, and were cut alike."""
        alike = zip(self._kept, prompt[:-1], strict=False)  # the last token is always read: its logits are needed
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], alike))
        known = 0
        for mine, theirs in zip(cuts, self._kept_cuts, strict=False):
            if mine != theirs or mine > same:
                break
            known = mine
        return known

    def _write(self, token: int) -> None:
        """Decodes one token, on as many threads as is faster at present."""
        threads, begun = self._choice.threads(), time.perf_counter()
        self._lib.llama_set_n_threads(self._context, threads, self._threads)
        self._decode([token])
        self._choice.took(threads, time.perf_counter() - begun)

    def _decode(self, tokens: Sequence[int]) -> None:
        ids = (self._lib.llama_token * len(tokens))(*tokens)
        status = self._lib.llama_decode(self._context, self._lib.llama_batch_get_one(ids, len(tokens)))
        if status == 2:
            raise _Cancelled
        if status != 0:
            raise RuntimeError(f"llama_decode returned {status}: {' '.join(self._log)}")

    def _piece(self, token: int) -> bytes:
        size = 32
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = int(self._lib.llama_token_to_piece(self._vocab, token, buffer, size, 0, False))
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def _template(self) -> tuple[Template, int]:
        """The file's own template and its tokens, or the form that the vocabulary allows."""
        source = (self._lib.llama_model_chat_template(self._model, None) or b"").decode("utf-8", "replace")
        bos = self._token_text(self._lib.llama_vocab_bos(self._vocab))
        own = template_of(source, bos=bos, eos=self._token_text(self._lib.llama_vocab_eos(self._vocab)))
        # One that takes more than half of the context leaves no room for notes.
        if own and (tokens := self._tokens_of(own)) <= self.context_tokens // 2:
            return own, tokens
        form = CHATML if len(self.tokenize("<|im_start|>", control=True)) == 1 else PLAIN
        return form, self._tokens_of(form)

    def _tokens_of(self, template: Template) -> int:
        return len(self.prompt([(part, True) for part in template.parts if not isinstance(part, Slot)]))

    def _token_text(self, token: int) -> str:
        return self._lib.llama_vocab_get_text(self._vocab, token).decode("utf-8", "replace") if token >= 0 else ""

    def vocabulary(self) -> dict[str, Any] | None:
        """The fields of `tokens.Vocabulary`, bytes as latin-1; None where the tokenizer is no byte-level BPE."""
        if self._metadata("tokenizer.ggml.model") != "gpt2":
            return None
        size = int(self._lib.llama_vocab_n_tokens(self._vocab))
        normal, user_defined = {}, {}
        for token in range(size):
            attributes = self._lib.llama_vocab_get_attr(self._vocab, token)
            if attributes & self._lib.LLAMA_TOKEN_ATTR_USER_DEFINED:
                user_defined[self._lib.llama_vocab_get_text(self._vocab, token).decode("utf-8", "replace")] = token
            elif attributes & self._lib.LLAMA_TOKEN_ATTR_NORMAL:
                normal[self._piece(token).decode("latin-1")] = token
        pre = self._metadata("tokenizer.ggml.pre")
        return {"size": size, "pre": pre, "normal": normal, "user_defined": user_defined}

    def _metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(64)
        length = self._lib.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if length >= 0 else ""


def _cuts(length: int, shared: int) -> list[int]:
    """Where a prompt of that length is cut into decodes, in order: see `_BLOCK`."""
    cuts = (*range(_BLOCK, shared, _BLOCK), *range(shared, length + 1, _BLOCK))
    return [cut for cut in cuts if 0 < cut <= length]


class _Server:
    """Reads requests in one thread and drafts in another."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._writing = threading.Lock()
        self._jobs: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._noting = threading.Lock()
        self._running = 0
        self._cancelled = 0
        self._model: _Model | None = None

    def stopped(self) -> bool:
        return self._cancelled >= self._running > 0

    def _note(self, *, running: int | None = None, cancelled: int | None = None) -> None:
        """Takes down which draft runs, or which is cancelled, and has llama.cpp stop where they are the same."""
        with self._noting:
            self._running = self._running if running is None else running
            self._cancelled = self._cancelled if cancelled is None else cancelled
            if self._model:
                self._model.stop(self.stopped())

    def send(self, **message: object) -> None:
        with self._writing:
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()

    def listen(self) -> None:
        """Take requests until stdin ends, then end the process whatever it is doing."""
        try:
            for line in sys.stdin.buffer:
                request = json.loads(line)
                if request["op"] == "cancel":
                    self._note(cancelled=request["id"])
                elif request["op"] == "tokenize" and self._model:
                    self.send(id=request["id"], ids=self._model.tokenize(request["text"]))
                elif request["op"] == "encode" and self._model:
                    self.send(id=request["id"], ids=self._model.prompt(request["segments"]))
                else:
                    self._jobs.put(request)
        finally:
            os._exit(0)

    def serve(self, path: str, threads: int, context_tokens: int) -> None:
        """Load the model, say so, and draft for ever; returns only if the model cannot be loaded."""
        try:
            model = _Model(path, threads=threads, context_tokens=context_tokens)
            vocabulary = model.vocabulary()
        except ImportError as error:
            return self.send(error=f"llama_cpp cannot be imported: {error}", missing=True)
        except Exception as error:  # the parent reports it: whatever it was, there is no model
            return self.send(error=str(error) or repr(error), hint=getattr(error, "hint", None))
        self._model = model
        self.send(
            context_tokens=model.context_tokens,
            template=[model.template.name, [[part, isinstance(part, Slot)] for part in model.template.parts]],
            template_tokens=model.template_tokens,
            vocabulary=vocabulary,
        )
        while True:
            request = self._jobs.get()
            try:
                self._draft(model, request)
            except Exception as error:  # the parent reports it, and the next draft starts afresh
                self.send(id=request["id"], error=str(error) or repr(error))

    def _draft(self, model: _Model, request: dict[str, Any]) -> None:
        draft_id, segments = request["id"], request["segments"]
        prompt = model.prompt(segments)
        shared = len(model.prompt(segments[: request["shared"]]))
        room = model.context_tokens - len(prompt)
        if not prompt or room < 1:
            raise ValueError(f"the prompt has {len(prompt)} tokens, the context holds {model.context_tokens}")
        limit = min(request["max_tokens"], room)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")  # holds back the start of a character
        tokens, finish, texts, told_at = 0, "stop", list[str](), 0.0
        self._note(running=draft_id)
        try:
            for piece in model.draft(prompt, shared, limit, lambda: self.send(id=draft_id, texts=[])):  # it lives
                if self.stopped():
                    raise _Cancelled
                tokens += 1
                texts.append(decoder.decode(piece))
                if time.monotonic() - told_at >= _TELL_S:
                    self.send(id=draft_id, texts=texts)
                    texts, told_at = [], time.monotonic()
            finish = "length" if tokens == limit else "stop"
        except _Cancelled:
            finish = "cancelled"
        finally:
            self._note(running=0)
        if texts:
            self.send(id=draft_id, texts=texts)
        kept = model.kept_tokens
        self.send(id=draft_id, done=True, prompt_tokens=len(prompt), kept_tokens=kept, tokens=tokens, finish=finish)


def main() -> None:
    # What native code prints must not end up between the messages: it goes to stderr.
    out = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    server = _Server(out)
    configuration = json.loads(sys.stdin.buffer.readline() or b"null")
    if configuration is None:
        return
    threading.Thread(target=server.listen, daemon=True).start()
    server.serve(configuration["path"], configuration["threads"], configuration["context_tokens"])
    os._exit(1)


if __name__ == "__main__":
    main()
