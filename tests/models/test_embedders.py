"""What every `Embedder` promises, checked over all of them; then what each one adds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.errors import ModelError
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.models.sentence_transformer import SentenceTransformerEmbedder
from ragnotes.ports import Embedder

TEXTS = [
    "The cat sleeps on the warm windowsill.",
    "",
    "def main() -> None: ...",
    "Zürich, 3. März 2024 — naïve café 你好 👩‍🚀",
    "A kitten naps by the sunny window.",
    "long " * 600,
    "Interest rates rose by 25 basis points.",
]


@pytest.fixture(params=["hashing", pytest.param("sentence_transformer", marks=pytest.mark.model)])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "hashing":
        return HashingEmbedder()
    built: Embedder = request.getfixturevalue("sentence_transformer")
    return built


def test_rows_are_float32_contiguous_unit_vectors(embedder: Embedder) -> None:
    for vectors in (embedder.embed_documents(TEXTS), embedder.embed_queries(TEXTS)):
        assert vectors.dtype == np.float32
        assert vectors.flags.c_contiguous
        assert vectors.shape == (len(TEXTS), embedder.dimension)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    for vectors in (embedder.embed_documents([]), embedder.embed_queries([])):
        assert vectors.shape == (0, embedder.dimension)
        assert vectors.dtype == np.float32
    assert embedder.count_tokens([]) == []


def test_row_i_belongs_to_text_i_whatever_its_neighbours(embedder: Embedder) -> None:
    alone = np.vstack([embedder.embed_documents([text]) for text in TEXTS])
    np.testing.assert_allclose(embedder.embed_documents(TEXTS * 2), np.vstack([alone, alone]), atol=1e-5)


def test_the_same_texts_give_the_same_bytes(embedder: Embedder) -> None:
    assert embedder.embed_documents(TEXTS).tobytes() == embedder.embed_documents(TEXTS).tobytes()


def test_texts_that_share_words_are_closer_than_texts_that_do_not(embedder: Embedder) -> None:
    question, near, far = embedder.embed_documents(
        ["Where does the cat sleep?", "The cat sleeps on the sofa.", "Interest rates rose by 25 basis points."]
    )
    assert question @ near > question @ far + 0.2


def test_tokens_are_unit_vectors_that_lie_in_their_text(embedder: Embedder) -> None:
    tokens = embedder.embed_tokens(TEXTS)
    if tokens is None:  # words out of context
        return
    assert len(tokens) == len(TEXTS)
    for text, one in zip(TEXTS, tokens, strict=True):
        assert one.vectors.shape == (len(one.spans), embedder.dimension)
        assert one.vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(one.vectors, axis=1), 1.0, atol=1e-5)
        assert all(0 <= start < end <= len(text) for start, end in one.spans)
        assert len(one.spans) <= embedder.max_tokens


@pytest.mark.model
def test_a_word_means_another_thing_beside_other_words(sentence_transformer: SentenceTransformerEmbedder) -> None:
    money, river = sentence_transformer.embed_tokens(["the bank lent money", "the bank of the river"])
    assert money.spans[1] == river.spans[1] == (4, 8)
    assert money.vectors[1] @ river.vectors[1] < 0.9
    assert sentence_transformer.embed_tokens([]) == []


def test_counts_grow_with_the_text_beyond_the_limit(embedder: Embedder) -> None:
    assert embedder.max_tokens == 256
    assert embedder.count_tokens(["", "one", "one two", "one " * 1000]) == [2, 3, 4, 1002]


@pytest.mark.model
def test_only_the_first_max_tokens_of_a_text_are_embedded_by_the_model(
    sentence_transformer: SentenceTransformerEmbedder,
) -> None:
    fits = "one " * 254
    assert sentence_transformer.count_tokens([fits]) == [256]
    a, b = sentence_transformer.embed_documents([fits, fits + "two three"])
    np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.model
def test_of_a_text_that_is_cut_off_every_token_is_one_of_its_words(
    sentence_transformer: SentenceTransformerEmbedder,
) -> None:
    fits, cut_off = sentence_transformer.embed_tokens(["one " * 254, "one " * 300])
    assert fits.spans == cut_off.spans
    assert fits.spans[-1] == (1012, 1015)
    np.testing.assert_allclose(fits.vectors, cut_off.vectors, atol=1e-5)


@given(st.text())
def test_hashing_gives_a_unit_vector_for_any_text(text: str) -> None:
    (row,) = HashingEmbedder(8).embed_documents([text])
    assert abs(float(np.linalg.norm(row)) - 1.0) < 1e-5


def test_hashing_is_the_same_in_every_process() -> None:
    # Pinned: vectors kept in an index must not depend on the hash seed or the Python version.
    (row,) = HashingEmbedder(4).embed_documents(["Sleeping cats"])
    assert HashingEmbedder().name == "hashing-64"
    np.testing.assert_allclose(row, [0.0, 7 / 54**0.5, -2 / 54**0.5, 1 / 54**0.5], atol=1e-6)


@pytest.mark.model
def test_the_bundled_model_has_a_readable_name(sentence_transformer: SentenceTransformerEmbedder) -> None:
    model, checksum = sentence_transformer.name.split("@")
    assert model == "all-MiniLM-L6-v2"
    assert len(checksum) == 8


@pytest.mark.model
def test_another_model_in_an_equally_named_folder_has_another_name(embedder_folder: Path, tmp_path: Path) -> None:
    names = []
    for parent, epsilon in (("a", 1e-12), ("b", 1e-12), ("c", 1e-6)):
        folder = tmp_path / parent / "my-model"
        shutil.copytree(embedder_folder, folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "layer_norm_eps": epsilon}))
        names.append(SentenceTransformerEmbedder(folder, threads=2).name)
    assert names[0].startswith("my-model@")
    assert names[0] == names[1] != names[2]


def test_a_missing_folder_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no embedder folder .*nowhere; give a sentence-transformers folder"):
        SentenceTransformerEmbedder(tmp_path / "nowhere", threads=1)


def test_a_folder_of_something_else_is_a_model_error(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Not a model")
    with pytest.raises(ModelError, match=r"no modules\.json"):
        SentenceTransformerEmbedder(tmp_path, threads=1)


@pytest.mark.model
def test_weights_that_can_run_code_are_not_loaded(embedder_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(embedder_folder, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"no \.safetensors weights"):
        SentenceTransformerEmbedder(folder, threads=1)


@pytest.mark.model
def test_broken_weights_are_a_model_error(embedder_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(embedder_folder, folder)
    (folder / "model.safetensors").write_bytes(b"\xff" * 1000)
    with pytest.raises(ModelError, match="broken cannot be loaded"):
        SentenceTransformerEmbedder(folder, threads=1)
