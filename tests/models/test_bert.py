"""The BERT without padding gives what sentence-transformers gives, in either precision."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ragnotes.models import bert
from ragnotes.models.bert import BertEncoder, BertSettings, bert_settings
from ragnotes.models.library_encoder import LibraryEncoder
from ragnotes.models.sentence_transformer import SentenceTransformerEmbedder
from ragnotes.types import Vectors

pytestmark = pytest.mark.model

CORPUS = Path(__file__).parents[2] / "corpus"
PARAGRAPHS = [
    text for path in sorted(CORPUS.rglob("*.md")) for text in path.read_text("utf-8").split("\n\n") if text.strip()
]
TEXTS = ["", "cat", "Naïve café, 20 °C: 日本語", *PARAGRAPHS[:20], "a longer one " * 150]

Changed = Callable[..., Path]


@pytest.fixture(scope="session")
def library(embedder_folder: Path) -> LibraryEncoder:
    return LibraryEncoder(embedder_folder, threads=2)


@pytest.fixture
def changed(embedder_folder: Path, tmp_path: Path) -> Changed:
    """The bundled folder with other values in one of its JSON files."""

    def change(name: str, **values: Any) -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(embedder_folder, folder)
        path = folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
        return folder

    return change


def settings_of(folder: Path) -> BertSettings:
    settings = bert_settings(folder)
    assert settings
    return settings


def encoder_of(folder: Path, *, in_bfloat16: bool, threads: int = 2) -> BertEncoder:
    return BertEncoder(folder, settings_of(folder), threads=threads, in_bfloat16=in_bfloat16)


def cosines(a: Vectors, b: Vectors) -> Vectors:
    return np.einsum("ij,ij->i", a, b)  # type: ignore[no-any-return]


@pytest.mark.parametrize("threads", [1, 3])
def test_in_float32_it_computes_what_the_library_computes(
    embedder_folder: Path, library: LibraryEncoder, threads: int
) -> None:
    encoder = encoder_of(embedder_folder, in_bfloat16=False, threads=threads)
    assert (encoder.dimension, encoder.max_tokens) == (library.dimension, library.max_tokens)
    np.testing.assert_allclose(encoder.documents(TEXTS), library.documents(TEXTS), atol=1e-5)
    np.testing.assert_allclose(encoder.queries(TEXTS), library.queries(TEXTS), atol=1e-5)
    for mine, theirs in zip(encoder.token_rows(TEXTS), library.token_rows(TEXTS), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


@pytest.mark.parametrize("with_packed", [True, False])
def test_bfloat16_keeps_the_direction_of_every_vector(
    embedder_folder: Path, library: LibraryEncoder, monkeypatch: pytest.MonkeyPatch, with_packed: bool
) -> None:
    if not with_packed:  # as with a torch that lacks those operations
        monkeypatch.setattr(bert, "_packed", lambda weights: {})
    encoder = encoder_of(embedder_folder, in_bfloat16=True)
    texts = TEXTS + PARAGRAPHS
    found = cosines(encoder.documents(texts), library.documents(texts))
    assert found.mean() > 0.9995
    assert found.min() > 0.998
    assert np.abs(np.linalg.norm(encoder.documents(texts), axis=1) - 1).max() < 1e-5


def test_a_text_has_one_vector_whatever_stands_beside_it(embedder_folder: Path) -> None:
    encoder = encoder_of(embedder_folder, in_bfloat16=True)
    texts = TEXTS + PARAGRAPHS
    alone = np.vstack([encoder.documents([text]) for text in texts])
    assert np.array_equal(encoder.documents(texts), alone)


def test_two_encoders_in_one_process_keep_their_threads(embedder_folder: Path, library: LibraryEncoder) -> None:
    encoder = encoder_of(embedder_folder, in_bfloat16=False)
    for _ in range(2):
        library.documents(["cat"])
        assert torch.get_num_threads() == 2
        encoder.documents(["cat"])
        assert torch.get_num_threads() == 1


def test_the_first_token_can_stand_for_a_text(changed: Changed) -> None:
    folder = changed("1_Pooling/config.json", pooling_mode_mean_tokens=False, pooling_mode_cls_token=True)
    assert not settings_of(folder).mean
    expected = LibraryEncoder(folder, threads=2).documents(TEXTS)
    np.testing.assert_allclose(encoder_of(folder, in_bfloat16=False).documents(TEXTS), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("config.json", {"model_type": "mpnet"}),
        ("config.json", {"hidden_act": "relu"}),
        ("config.json", {"position_embedding_type": "relative_key"}),
        ("config.json", {"num_attention_heads": None}),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
        ("config_sentence_transformers.json", {"prompts": {"query": "search: "}}),
    ],
)
def test_any_other_folder_is_left_to_the_library(changed: Changed, name: str, values: dict[str, Any]) -> None:
    assert bert_settings(changed(name, **values)) is None


def test_a_folder_with_more_modules_is_left_to_the_library(changed: Changed) -> None:
    folder = changed("config.json")
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps(modules[:2]))
    assert bert_settings(folder) is None
    (folder / "modules.json").unlink()
    assert bert_settings(folder) is None


def test_a_model_with_prompts_has_them_before_what_is_embedded(changed: Changed, library: LibraryEncoder) -> None:
    folder = changed("config_sentence_transformers.json", prompts={"query": "search: ", "document": ""})
    embedder = SentenceTransformerEmbedder(folder, threads=2)
    np.testing.assert_allclose(embedder.embed_queries(["cats"]), library.documents(["search: cats"]), atol=1e-5)
    np.testing.assert_allclose(embedder.embed_documents(["cats"]), library.documents(["cats"]), atol=1e-5)
    assert embedder.max_tokens == library.max_tokens - 2
    assert embedder.embed_tokens(["cats"])[0].spans == ((0, 4),)


@pytest.mark.parametrize("faster", [True, False])
def test_the_precision_is_the_one_that_is_faster(
    embedder_folder: Path, monkeypatch: pytest.MonkeyPatch, faster: bool
) -> None:
    monkeypatch.setattr(bert, "_is_faster_in_bfloat16", lambda width: faster)
    encoder = BertEncoder(embedder_folder, settings_of(embedder_folder), threads=1)
    assert encoder._words.dtype is (torch.bfloat16 if faster else torch.float32)


def test_scores_beyond_all_measure_keep_attention_finite() -> None:
    queries, values = torch.full((2, 5, 8), 1e3), torch.ones(2, 5, 8)
    for size in (1e3, 1.2e-2, -1.2e-2, -1e3):  # scores of 96 are finite themselves, but not as sums
        mixed = bert._attend(torch.stack([queries, torch.full_like(queries, size), values]).bfloat16())
        assert torch.equal(mixed, torch.ones(5, 2, 8, dtype=torch.bfloat16))


def test_texts_are_dealt_out_evenly_and_each_once() -> None:
    lengths = [200, 3, 100, 100, 7, 256, 12, 150]
    for threads, groups in ((1, 2), (2, 2), (4, 4)):  # of at most 512 tokens
        dealt = bert._dealt(lengths, threads)
        assert sorted(number for group in dealt for number in group) == list(range(len(lengths)))
        assert len(dealt) == groups
        tokens = [sum(lengths[number] for number in group) for group in dealt]
        assert max(tokens) - min(tokens) <= max(lengths)
    assert bert._dealt([], 2) == []
    assert bert._dealt([5], 2) == [[0]]
