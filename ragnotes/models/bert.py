"""A BERT encoder without padding, in bfloat16 where the processor multiplies that faster: the only import of torch.

Most small embedders are BERT, and for them this is what sentence-transformers computes, at a fraction of the time it
takes to import. Texts of a pass stand end to end in one matrix, so that no product is spent on padding; attention alone
goes text by text. Every other folder is left to `library_encoder`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from ragnotes.types import Vectors

__all__ = ["BertEncoder", "BertSettings", "bert_settings", "use_threads"]

_PASS_TOKENS = 1024
"""Tokens of one pass on one core: what it computes on the way still fits into the processor's cache."""
_FASTER = 1.3
"""By so much bfloat16 has to be faster to be worth its rounding: without instructions of its own it is slower."""
_PROBE_TOKENS, _PROBES = 512, 3
_MOST = 64.0
"""Bound of an attention score: e to this power, summed over any text and times any value, is still a bfloat16."""
_MODULES = ("Transformer", "Pooling", "Normalize")
_SETTINGS = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute", "is_decoder": False}


@dataclass(frozen=True, slots=True)
class BertSettings:
    """What is needed of the folder's JSON files; `max_tokens` counts special tokens."""

    layers: int
    heads: int
    epsilon: float
    max_tokens: int
    mean: bool
    """Whether a text's vector is the mean of its tokens; else it is the first token's."""


def bert_settings(folder: Path) -> BertSettings | None:
    """The settings of a folder that holds a BERT, its pooling and nothing else; None for every other."""
    try:
        modules = [module["type"].rpartition(".")[2] for module in json.loads((folder / "modules.json").read_text())]
        pooling = _json(folder / "1_Pooling" / "config.json")
        limits = _json(folder / "sentence_bert_config.json")
        config = _json(folder / "config.json")
        with_prompts = any(_json(folder / "config_sentence_transformers.json").get("prompts", {}).values())
        kinds = {name for name, is_on in pooling.items() if name.startswith("pooling_mode_") and is_on}
        is_single = (folder / "model.safetensors").is_file()  # not in shards
        is_plain = is_single and all(config.get(name, value) == value for name, value in _SETTINGS.items())
        is_known = tuple(modules) == _MODULES and kinds <= {"pooling_mode_mean_tokens", "pooling_mode_cls_token"}
        if not (is_plain and is_known) or len(kinds) != 1 or with_prompts or limits.get("do_lower_case"):
            return None
        return BertSettings(
            layers=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            epsilon=float(config["layer_norm_eps"]),
            max_tokens=min(int(limits["max_seq_length"]), int(config["max_position_embeddings"])),
            mean="pooling_mode_mean_tokens" in kinds,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def use_threads(threads: int) -> None:
    """How many cores one operation of torch may take, in every thread."""
    torch.set_num_threads(threads)


class BertEncoder:
    """Unit vectors of texts, and vectors of their tokens. Any thread may call any method.

    `in_bfloat16` of None takes what is faster here; the cosine of both is 0.9999.
    """

    def __init__(self, folder: Path, settings: BertSettings, *, threads: int, in_bfloat16: bool | None = None) -> None:
        # Texts are dealt out to threads; each computes alone, which spares waiting for one another at every operation.
        use_threads(1)
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="embedder")
        self._settings = settings
        self.max_tokens = settings.max_tokens
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self._cutting = Tokenizer.from_str(self.tokenizer.to_str())
        self._cutting.enable_truncation(settings.max_tokens)
        weights = {name.removeprefix("bert."): value for name, value in _weights(folder).items()}
        self.dimension = int(weights["embeddings.word_embeddings.weight"].shape[1])
        with torch.inference_mode():
            if in_bfloat16 is None:
                in_bfloat16 = _is_faster_in_bfloat16(self.dimension)
            precision = torch.bfloat16 if in_bfloat16 else torch.float32
            self._weights = {name: value.to(precision) for name, value in _prepared(weights, settings).items()}
            self._packed = _packed(self._weights) if in_bfloat16 else {}
        self._words = self._weights["embeddings.word_embeddings.weight"]

    def documents(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text, float32, shape (n, dimension); what is beyond `max_tokens` is not read."""
        means = torch.zeros(len(texts), self.dimension)
        for numbers, states in self._states(texts):
            for number, rows in zip(numbers, states, strict=True):
                means[number] = rows.float().mean(0) if self._settings.mean else rows[0].float()
        vectors: Vectors = F.normalize(means).numpy()
        return vectors

    queries = documents

    def token_rows(self, texts: Sequence[str]) -> list[Vectors]:
        """The vectors of each text's tokens, special ones included, float32, shape (tokens, dimension)."""
        found: dict[int, Vectors] = {}
        for numbers, states in self._states(texts):
            found.update((number, rows.float().numpy()) for number, rows in zip(numbers, states, strict=True))
        return [found[number] for number in range(len(texts))]

    def _states(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Sequence[Tensor]]]:
        """Numbers of texts and the last hidden states of their tokens, pass after pass."""
        ids = [encoding.ids for encoding in self._cutting.encode_batch_fast(list(texts))]
        passes = _dealt([len(each) for each in ids], self._threads)
        states = map if len(passes) == 1 or self._threads == 1 else self._pool.map
        return zip(passes, states(lambda numbers: self._forward([ids[n] for n in numbers]), passes), strict=True)

    @torch.inference_mode()
    def _forward(self, batch: Sequence[Sequence[int]]) -> Sequence[Tensor]:
        """The last hidden states of each text."""
        lengths = [len(ids) for ids in batch]
        places = torch.cat([torch.arange(length) for length in lengths])
        embeddings = F.embedding(torch.tensor([token for ids in batch for token in ids]), self._words)
        embeddings = embeddings + F.embedding(places, self._weights["embeddings.position_embeddings.weight"])
        embeddings = embeddings + self._weights["embeddings.token_type_embeddings.weight"][0]
        states = self._normalized(embeddings, "embeddings.LayerNorm")
        for layer in range(self._settings.layers):
            name = f"encoder.layer.{layer}"
            attended = self._linear(self._attended(states, name, lengths), f"{name}.attention.output.dense")
            states = self._normalized(attended + states, f"{name}.attention.output.LayerNorm")
            inner = self._linear(states, f"{name}.intermediate.dense", gelu=True)
            states = self._normalized(self._linear(inner, f"{name}.output.dense") + states, f"{name}.output.LayerNorm")
        return torch.split(states, lengths)

    def _attended(self, states: Tensor, name: str, lengths: Sequence[int]) -> Tensor:
        """Each token's mixture of the values of its own text's tokens."""
        projected = self._linear(states, f"{name}.attention.self").view(len(states), 3, self._settings.heads, -1)
        attend = _attend if projected.dtype is torch.bfloat16 else _attend_exactly
        return torch.cat([attend(*own.permute(1, 2, 0, 3)).flatten(1) for own in torch.split(projected, list(lengths))])

    def _linear(self, states: Tensor, name: str, *, gelu: bool = False) -> Tensor:
        bias = self._weights[f"{name}.bias"]
        if name in self._packed:
            product: Tensor = torch.ops.mkldnn._linear_pointwise(
                states, self._packed[name], bias, "gelu" if gelu else "none", [], "none" if gelu else ""
            )
            return product
        product = F.linear(states, self._weights[f"{name}.weight"], bias)
        return F.gelu(product) if gelu else product

    def _normalized(self, states: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return F.layer_norm(states, (self.dimension,), weight, bias, self._settings.epsilon)


def _attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Softmax attention, shape (tokens, heads, width) from (heads, tokens, width) each; the queries are scaled.

    The largest score of each token is not subtracted first, as is usual: that pass over all scores takes longer than
    both products. The bound keeps sums finite instead.
    """
    weights = torch.bmm(queries, keys.transpose(1, 2)).clamp_(-_MOST, _MOST).exp_()
    return (torch.bmm(weights, values) / weights.sum(-1, keepdim=True)).transpose(0, 1)


def _attend_exactly(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """The same in float32, where torch's own attention is the faster one."""
    return F.scaled_dot_product_attention(queries[None], keys[None], values[None], scale=1.0)[0].transpose(0, 1)


def _prepared(weights: dict[str, Tensor], settings: BertSettings) -> dict[str, Tensor]:
    """The weights with each layer's three projections as one, the queries' one scaled for attention."""
    prepared = {name: value for name, value in weights.items() if value.is_floating_point()}
    for layer in range(settings.layers):
        name = f"encoder.layer.{layer}.attention.self"
        for kind in ("weight", "bias"):
            query, key, value = (prepared.pop(f"{name}.{part}.{kind}") for part in ("query", "key", "value"))
            scale = math.sqrt(len(query) // settings.heads)
            prepared[f"{name}.{kind}"] = torch.cat([query / scale, key, value])
    return prepared


def _packed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The matrices as oneDNN reads them, for products that take in bias and activation: 12 % faster than without.

    torch has these operations for its own compiler. A torch that lacks them gives {}, which leaves the usual ones.
    """
    names = [name.removesuffix(".weight") for name in weights if name.startswith("encoder.")]
    names = [name for name in names if not name.endswith("LayerNorm")]
    try:
        pack, _ = torch.ops.mkldnn._reorder_linear_weight, torch.ops.mkldnn._linear_pointwise
        return {name: pack(weights.pop(f"{name}.weight"), None) for name in names if f"{name}.weight" in weights}
    except AttributeError:
        return {}


def _dealt(lengths: Sequence[int], threads: int) -> list[list[int]]:
    """Numbers of texts in groups of about as many tokens each: as many groups as keep all threads busy."""
    groups = math.ceil(sum(lengths) / (_PASS_TOKENS * threads)) * threads
    dealt: list[list[int]] = [[] for _ in range(min(groups, len(lengths)))]
    tokens = [0] * len(dealt)
    for number in sorted(range(len(lengths)), key=lambda number: (-lengths[number], number)):
        fewest = tokens.index(min(tokens))
        dealt[fewest].append(number)
        tokens[fewest] += lengths[number]
    return dealt


def _is_faster_in_bfloat16(width: int) -> bool:
    """Whether a product of the encoder's shape takes clearly less time in bfloat16 here."""

    def seconds(precision: torch.dtype) -> float:
        states, weight = torch.ones(_PROBE_TOKENS, width, dtype=precision), torch.ones(width, width, dtype=precision)
        times = []
        for _ in range(_PROBES + 1):  # the first one also prepares
            started = time.perf_counter()
            F.linear(states, weight)
            times.append(time.perf_counter() - started)
        return min(times)

    return seconds(torch.bfloat16) * _FASTER < seconds(torch.float32)


def _weights(folder: Path) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = load_file(folder / "model.safetensors")
    return weights


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content
