"""llama.cpp by itself, through the lowest level of llama-cpp-python: how fast it reads a prompt and writes tokens."""

from __future__ import annotations

import os
import time

import llama_cpp

from benchmarks.speed.children.lines import answer_orders
from ragnotes.models.bundled import bundled_generator


class Raw:
    """The bundled model in a context of its own, everything but context and threads left at llama.cpp's defaults."""

    def load(self, threads: int, context_tokens: int) -> None:
        llama_cpp.llama_log_set(_SILENT, None)
        llama_cpp.llama_backend_init()
        path = os.fsencode(bundled_generator() or "")
        self._model = llama_cpp.llama_model_load_from_file(path, llama_cpp.llama_model_default_params())
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = context_tokens
        parameters.n_threads = parameters.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(self._model, parameters)
        self._sampler = llama_cpp.llama_sampler_init_greedy()
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)

    def draft(self, text: str, read: int, written: int) -> dict[str, float]:
        """Reads the first `read` tokens of the text and writes so many, whatever they are.

        Gives seconds to the first token and from there to the last.
        """
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        tokens = self._tokens(text)
        assert len(tokens) >= read, f"the text has {len(tokens)} tokens, fewer than {read}"
        started = time.perf_counter()
        self._decode(tokens[:read])
        times = []
        while True:
            token = llama_cpp.llama_sampler_sample(self._sampler, self._context, -1)
            times.append(time.perf_counter())
            if len(times) == written:
                return {"first_s": times[0] - started, "rest_s": times[-1] - times[0]}
            self._decode([token])

    def _tokens(self, text: str) -> list[int]:
        content = text.encode()
        ids = (llama_cpp.llama_token * len(content))()
        count = llama_cpp.llama_tokenize(self._vocabulary, content, len(content), ids, len(ids), False, False)
        return list(ids[:count])

    def _decode(self, tokens: list[int]) -> None:
        ids = (llama_cpp.llama_token * len(tokens))(*tokens)
        status = llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(ids, len(tokens)))
        assert status == 0, f"llama_decode returned {status}"


_SILENT = llama_cpp.llama_log_callback(lambda _level, _text, _data: None)

if __name__ == "__main__":
    raw = Raw()
    answer_orders({"load": raw.load, "draft": raw.draft})
