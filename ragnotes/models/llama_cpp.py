"""The child process that owns a llama.cpp context: the only module that imports llama_cpp.

`generator_process` runs it as `python -m ragnotes.models.llama_cpp`. Both sides write JSON objects, one a line:

    in   {path, threads, context_tokens}                       the first line
    out  {context_tokens, template, vocabulary} or {error}     once, after loading; an error ends the child
    in   {op: generate, id, segments: [[text, control]], max_tokens}
    out  {id, text} …, then {id, done, prompt_tokens, tokens, finish} or {id, error}
    in   {op: cancel, id}                                      also within the prompt; ids only ever grow
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
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any, TextIO

from ragnotes.models.templates import Template

__all__ = ["main"]

_BLOCK = 64
"""Tokens per decode of a prompt, and the grain in which a prompt's state is kept for the next.

Logits depend on how a prompt was cut into decodes: a prefix of 130 tokens kept as it was moved them by 0.6 with the
bundled model, enough for another answer. Kept in whole blocks they are equal bit for bit. Reading costs 350 tokens a
second at 64 against 390 at 512 on two cores, and short instructions, shared by all prompts, are kept.
"""


class _Cancelled(Exception):
    """llama.cpp stopped because the abort callback said so."""


class _LoadFailed(Exception):
    """The model cannot be used; the message says why."""


class _Model:
    """A model, its vocabulary and one context. All but `tokenize` belong to one thread."""

    def __init__(self, path: str, *, threads: int, context_tokens: int, stopped: Callable[[], bool]) -> None:
        import llama_cpp

        self._lib: Any = llama_cpp
        self._log: deque[str] = deque(maxlen=4)
        # ctypes callbacks live as long as the context: collected earlier, they would crash it.
        self._log_callback = llama_cpp.llama_log_callback(self._on_log)
        self._abort_callback = llama_cpp.ggml_abort_callback(lambda _data: stopped())
        llama_cpp.llama_log_set(self._log_callback, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), llama_cpp.llama_model_default_params())
        if not self._model:
            raise _LoadFailed(self._log[0] if self._log else "llama.cpp gives no reason")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._context = self._open(threads, context_tokens)
        self._memory = llama_cpp.llama_get_memory(self._context)
        if not self._memory:
            raise _LoadFailed("this model embeds text, it cannot write any")
        self._sampler = llama_cpp.llama_sampler_init_greedy()
        llama_cpp.llama_set_abort_callback(self._context, self._abort_callback, None)
        self.context_tokens = int(llama_cpp.llama_n_ctx(self._context))
        self._kept: list[int] = []

    def _on_log(self, level: int, text: bytes, _data: object) -> None:
        line = "".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace")).strip()
        if level == 4 and line:  # GGML_LOG_LEVEL_ERROR; the first line is the cause, the next ones its consequences
            self._log.append(line)

    def _open(self, threads: int, context_tokens: int) -> object:
        parameters = self._lib.llama_context_default_params()
        trained = int(self._lib.llama_model_n_ctx_train(self._model))
        parameters.n_ctx = min(context_tokens, trained) if trained > 0 else context_tokens
        parameters.n_batch = parameters.n_ubatch = _BLOCK
        parameters.n_threads = parameters.n_threads_batch = threads
        context = self._lib.llama_init_from_model(self._model, parameters)
        if not context:
            why = self._log[0] if self._log else "out of memory?"
            raise _LoadFailed(f"no context of {parameters.n_ctx} tokens: {why}")
        return context

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
        if self._lib.llama_vocab_get_add_bos(self._vocab):
            ids.insert(0, int(self._lib.llama_vocab_bos(self._vocab)))
        return ids

    def draft(self, prompt: Sequence[int], max_tokens: int) -> Iterator[bytes]:
        """The bytes of each token, to the end of the answer or `max_tokens`. Raises _Cancelled."""
        try:
            self._read(prompt)
            for written in range(1, max_tokens + 1):
                token = self._lib.llama_sampler_sample(self._sampler, self._context, -1)
                if self._lib.llama_vocab_is_eog(self._vocab, token):
                    return
                yield self._piece(token)
                if written < max_tokens:
                    self._decode([token])
        except Exception:  # after an abort nothing is known of the state
            self._lib.llama_memory_clear(self._memory, True)
            self._kept = []
            raise

    def _read(self, prompt: Sequence[int]) -> None:
        shared = next((n for n, (a, b) in enumerate(zip(self._kept, prompt, strict=False)) if a != b), len(self._kept))
        start = min(shared, len(prompt) - 1) // _BLOCK * _BLOCK  # the last token is always read: its logits are needed
        if not self._lib.llama_memory_seq_rm(self._memory, -1, start, -1):  # recurrent models cannot forget in part
            self._lib.llama_memory_clear(self._memory, True)
            start = 0
        for at in range(start, len(prompt), _BLOCK):
            self._decode(prompt[at : at + _BLOCK])
        self._kept = list(prompt[: len(prompt) // _BLOCK * _BLOCK])

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

    def template(self) -> Template:
        """CHATML if its control token is one token of the vocabulary."""
        return Template.CHATML if len(self.tokenize("<|im_start|>", control=True)) == 1 else Template.PLAIN

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


class _Server:
    """Reads requests in one thread and drafts in another."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._writing = threading.Lock()
        self._jobs: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._running = 0
        self._cancelled = 0
        self._model: _Model | None = None

    def stopped(self) -> bool:
        return self._cancelled >= self._running > 0

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
                    self._cancelled = request["id"]
                elif request["op"] == "tokenize" and self._model:
                    self.send(id=request["id"], ids=self._model.tokenize(request["text"]))
                else:
                    self._jobs.put(request)
        finally:
            os._exit(0)

    def serve(self, path: str, threads: int, context_tokens: int) -> None:
        """Load the model, say so, and draft for ever; returns only if the model cannot be loaded."""
        try:
            model = _Model(path, threads=threads, context_tokens=context_tokens, stopped=self.stopped)
            hello = {"context_tokens": model.context_tokens, "template": model.template()}
            vocabulary = model.vocabulary()
        except ImportError as error:
            return self.send(error=f"llama_cpp cannot be imported: {error}", missing=True)
        except Exception as error:  # the parent reports it: whatever it was, there is no model
            return self.send(error=str(error) or repr(error))
        self._model = model
        self.send(**hello, vocabulary=vocabulary)
        while True:
            request = self._jobs.get()
            try:
                self._draft(model, request["id"], request["segments"], request["max_tokens"])
            except Exception as error:  # the parent reports it, and the next draft starts afresh
                self.send(id=request["id"], error=str(error) or repr(error))

    def _draft(self, model: _Model, draft_id: int, segments: Sequence[tuple[str, bool]], max_tokens: int) -> None:
        prompt = model.prompt(segments)
        room = model.context_tokens - len(prompt)
        if not prompt or room < 1:
            raise ValueError(f"the prompt has {len(prompt)} tokens, the context holds {model.context_tokens}")
        limit = min(max_tokens, room)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")  # holds back the start of a character
        tokens, finish = 0, "stop"
        self._running = draft_id
        try:
            for piece in model.draft(prompt, limit):
                if self.stopped():
                    raise _Cancelled
                tokens += 1
                if text := decoder.decode(piece):
                    self.send(id=draft_id, text=text)
            finish = "length" if tokens == limit else "stop"
        except _Cancelled:
            finish = "cancelled"
        finally:
            self._running = 0
        self.send(id=draft_id, done=True, prompt_tokens=len(prompt), tokens=tokens, finish=finish)


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
