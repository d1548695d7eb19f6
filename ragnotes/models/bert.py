"""A BERT encoder without padding, in bfloat16 where the processor multiplies that faster: the only import of torch.

Most small embedders are BERT, and for them this is what sentence-transformers computes, at a fraction of the time it
takes to import. Texts of a pass stand end to end in one matrix, so that no product is spent on padding; attention alone
goes text by text. Every other folder is left to `library_encoder`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from ragnotes.types import Vectors

__all__ = ["BertEncoder", "BertSettings", "bert_settings", "use_threads"]

_PASS_TOKENS = 512
"""Tokens of one pass on one core: matrices are small enough that their memory is kept from layer to layer."""
_STEP = 16
"""Rows are added up to a multiple of it: oneDNN spends most of a millisecond on every new shape."""
_FASTER = 1.3
"""By so much bfloat16 has to be faster to be worth its rounding: without instructions of its own it is slower."""
_PROBE_TOKENS, _PROBES = 512, 3
_MOST = 92.0
"""Bound of an attention score: 2 to this power, summed over any text and times any value, is still a bfloat16."""
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
    """How many cores one operation of torch may take in this thread, and in those that never said so."""
    torch.set_num_threads(threads)


class BertEncoder:
    """Unit vectors of texts, and vectors of their tokens. Any thread may call any method.

    `in_bfloat16` of None takes what is faster here; the cosine of both is 0.9999.
    """

    def __init__(self, folder: Path, settings: BertSettings, *, threads: int, in_bfloat16: bool | None = None) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="embedder")
        self._settings = settings
        self.max_tokens = settings.max_tokens
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self._weights, self._packed = _read(folder, settings, in_bfloat16)
        self._words = self._weights["embeddings.word_embeddings.weight"]
        self.dimension = self._words.shape[1]

    def documents(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text, float32, shape (n, dimension); what is beyond `max_tokens` is not read."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for number, vector in self._each(texts, self._pooled):
            vectors[number] = vector
        return vectors

    queries = documents

    def token_rows(self, texts: Sequence[str]) -> list[Vectors]:
        """The vectors of each text's tokens, special ones included, float32, shape (tokens, dimension)."""
        found = dict(self._each(texts, lambda states: states.float().numpy()))
        return [found[number] for number in range(len(texts))]

    def _pooled(self, states: Tensor) -> Vectors:
        mean = states.float().mean(0) if self._settings.mean else states[0].float()
        vector: Vectors = F.normalize(mean, dim=0).numpy()
        return vector

    def _each(self, texts: Sequence[str], made: Callable[[Tensor], Vectors]) -> Iterator[tuple[int, Vectors]]:
        """The number of each text, with what is made of the last hidden states of its tokens; in no order."""
        ids = [self._cut(encoding.ids) for encoding in self.tokenizer.encode_batch_fast(list(texts))]
        passes = _dealt([len(each) for each in ids], self._threads)

        @torch.inference_mode()
        def computed(numbers: Sequence[int]) -> list[Vectors]:
            use_threads(1)  # each thread computes alone, which spares waiting for the others at every operation
            return [made(states) for states in self._forward([ids[number] for number in numbers])]

        compute = map if len(passes) == 1 or self._threads == 1 else self._pool.map
        for numbers, found in zip(passes, compute(computed, passes), strict=True):
            yield from zip(numbers, found, strict=True)

    def _cut(self, ids: list[int]) -> list[int]:
        """The first ids that may be read, of which the last is the one that ends every text."""
        return ids if len(ids) <= self.max_tokens else [*ids[: self.max_tokens - 1], ids[-1]]

    def _forward(self, batch: Sequence[Sequence[int]]) -> Sequence[Tensor]:
        """The last hidden states of each text."""
        lengths = [len(ids) for ids in batch]
        beyond = -sum(lengths) % _STEP
        tokens = torch.tensor([token for ids in (*batch, [0] * beyond) for token in ids])
        places = torch.cat([torch.arange(length) for length in (*lengths, beyond)])
        embeddings = F.embedding(tokens, self._words)
        embeddings = embeddings + F.embedding(places, self._weights["embeddings.position_embeddings.weight"])
        embeddings = embeddings + self._weights["embeddings.token_type_embeddings.weight"][0]
        states = self._normalized(embeddings, "embeddings.LayerNorm")
        for layer in range(self._settings.layers):
            name = f"encoder.layer.{layer}"
            attended = self._attended(states, name, lengths)
            states = self._added(states, attended, f"{name}.attention.output")
            inner = self._linear(states, f"{name}.intermediate.dense", gelu=True)
            states = self._added(states, inner, f"{name}.output")
        return torch.split(states, [*lengths, beyond])[:-1]

    def _attended(self, states: Tensor, name: str, lengths: Sequence[int]) -> Tensor:
        """Each token's mixture of the values of its own text's tokens."""
        projected = self._linear(states, f"{name}.attention.self").view(len(states), 3, self._settings.heads, -1)
        attend = _attend if projected.dtype is torch.bfloat16 else _attend_exactly
        mixed = states.new_zeros(states.shape)
        start = 0
        for length in lengths:
            own = slice(start, start + length)
            mixed[own] = attend(projected[own].permute(1, 2, 0, 3)).flatten(1)
            start += length
        return mixed

    def _added(self, states: Tensor, inner: Tensor, name: str) -> Tensor:
        """The states, with what a part of the layer makes of `inner` added, normalised."""
        linear = f"{name}.dense"
        if linear in self._packed:
            bias = self._weights[f"{linear}.bias"]
            total = torch.ops.mkldnn._linear_pointwise.binary(inner, states, self._packed[linear], bias, "add")
        else:
            total = self._linear(inner, linear) + states
        return self._normalized(total, f"{name}.LayerNorm")

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


def _attend(projected: Tensor) -> Tensor:
    """Attention by 2 to the power of each score, shape (tokens, heads, width) from (3, heads, tokens, width).

    The largest score of each token is not subtracted first, as is usual: that pass over all scores takes longer than
    both products. Scores that no sum can hold are rare enough to be cut only where they were met.
    """
    length = projected.shape[2]
    queries, keys, values = F.pad(projected, (0, 0, 0, -length % _STEP))
    weights, sums = _weighed(torch.bmm(queries, keys.transpose(1, 2)), length)
    least, most = map(float, sums.aminmax())
    if not 2**-_MOST < least <= most < 2**_MOST:  # nor where one is NaN
        weights, sums = _weighed(torch.bmm(queries, keys.transpose(1, 2)).clamp_(-_MOST, _MOST), length)
    return (torch.bmm(weights, values) / sums)[:, :length].transpose(0, 1)


def _weighed(scores: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """The weights of scores, none beyond `length`, and the sum of each row; the scores are overwritten."""
    weights = scores.exp2_()
    weights[:, :, length:] = 0
    return weights, weights.sum(-1, keepdim=True)


def _attend_exactly(projected: Tensor) -> Tensor:
    """The same in float32, where torch's own attention is the faster one."""
    queries, keys, values = projected[:, None]
    return F.scaled_dot_product_attention(queries, keys, values, scale=math.log(2))[0].transpose(0, 1)


def _read(
    folder: Path, settings: BertSettings, in_bfloat16: bool | None
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The folder's weights as they are computed with, and apart from them those that are packed."""
    use_threads(1)  # as they are used
    weights = {name.removeprefix("bert."): value for name, value in _stored(folder).items()}
    with torch.inference_mode():
        if in_bfloat16 is None:
            in_bfloat16 = _is_faster_in_bfloat16(weights["embeddings.word_embeddings.weight"].shape[1])
        precision = torch.bfloat16 if in_bfloat16 else torch.float32
        prepared = {name: value.to(precision) for name, value in _prepared(weights, settings).items()}
        return prepared, _packed(prepared) if in_bfloat16 else {}


def _prepared(weights: dict[str, Tensor], settings: BertSettings) -> dict[str, Tensor]:
    """The weights with each layer's three projections as one, the queries' one scaled for attention by powers of 2."""
    prepared = {name: value for name, value in weights.items() if value.is_floating_point()}
    for layer in range(settings.layers):
        name = f"encoder.layer.{layer}.attention.self"
        for kind in ("weight", "bias"):
            query, key, value = (prepared.pop(f"{name}.{part}.{kind}") for part in ("query", "key", "value"))
            scale = math.log(2) * math.sqrt(len(query) // settings.heads)
            prepared[f"{name}.{kind}"] = torch.cat([query / scale, key, value])
    return prepared


def _packed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The matrices as oneDNN reads them, for products that take in bias and activation: 12 % faster than without.

    torch has these operations for its own compiler. A torch that lacks them gives {}, which leaves the usual ones.
    """
    names = [name.removesuffix(".weight") for name in weights if name.startswith("encoder.")]
    names = [name for name in names if not name.endswith("LayerNorm")]
    try:
        pack, _ = torch.ops.mkldnn._reorder_linear_weight, torch.ops.mkldnn._linear_pointwise.binary
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


def _stored(folder: Path) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = load_file(folder / "model.safetensors")
    return weights


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content
