"""What the words of a question find, through the real loaders, store and search: names, links, slips, languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.answers import NO_FILTERS
from ragnotes.asking.answering import Request
from ragnotes.asking.retrieval import by_words, terms_for
from ragnotes.events import Final
from ragnotes.stores.local import LocalStore
from tests.asking.stage import asker_over, index_notes

OTHERS = {
    f"other{number}.md": f"# Note {number}\n\nAbout {topic}, and about the weather of that day.\n"
    for number, topic in enumerate(
        "gardens bridges novels soup trains glass winters maps bread violins clouds lamps".split()  # noqa: SIM905
    )
}
NOTES = {
    "flash.md": "We switched to FlashAttention last week.",
    "attention.md": "It caught the attention of everybody.",
    "kv_snake.md": "Set `kv_cache` to false.",
    "kv_dash.md": "The kv-cache is on the card.",
    "kv_camel.md": "See class KVCache for more.",
    "kv_words.md": "A kv cache keeps keys.",
    "cache.md": "The browser has a cache too.",
    "gpt_dash.md": "GPT-3 wrote it.",
    "gpt_one.md": "Then GPT3 wrote it.",
    "gpt_four.md": "GPT-4 wrote it.",
    "cpp.md": "Written in C++ by hand.",
    "c.md": "Written in C by hand.",
    "csharp.md": "Written in C# by hand.",
    "fsharp.md": "Written in F# by hand.",
    "f.md": "Grade F by hand.",
    "dotnet.md": "Runs on .NET today.",
    "net.md": "Caught in a net today.",
    "node.md": "Served by node.js here.",
    "nodes.md": "The tree has a node here.",
    "topp.md": "We sample with top_p at one.",
    "llama.md": "Built with llama.cpp from source.",
    "linear.md": "The layer is torch.nn.Linear, no more.",
    "flag.md": "Call it with --max-tokens first.",
    "model.md": "Vectors of text-embedding-3-small are long.",
    "version.md": "Fixed in v0.3.36 at last.",
    "version2.md": "Fixed in v0.3.35 at last.",
    "path.md": "It lies in src/models/loader.py as ever.",
    "tag.md": "Read this one too. #rag",
    "mail.md": "Write to ada.lovelace@example.com for keys.",
    "arxiv.md": "A [survey](https://arxiv.org/abs/2304.01904v2) to read.",
    "arxiv2.md": "A [survey](https://arxiv.org/abs/2304.01905) to read.",
    "github.md": "The [runtime](https://github.com/ggerganov/whisper.cpp) to build.",
    "video.md": "A [talk](https://www.youtube.com/watch?v=dQw4w9WgXcQ) to watch.",
    "review.md": "The [reviews](https://openreview.net/forum?id=abc) to answer.",
    "encoded.md": "An [article](https://example.org/wiki/Beam%20search_%28decoding%29) to skim.",
    "slug.md": "A [post](https://example.org/blog/HowToQuantizeModels) to skim.",
    "dashes.md": "A [post](https://example.org/blog/speculative-decoding-explained) to skim.",
}


@contextmanager
def searching(folder: Path, notes: Mapping[str, str]) -> Iterator[LocalStore]:
    with closing(index_notes(folder, {**OTHERS, **notes})) as store:
        yield store


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStore]:
    with searching(tmp_path_factory.mktemp("named"), NOTES) as store:
        yield store


def found(store: LocalStore, query: str) -> list[str]:
    """The paths of the notes found by words, best first."""
    with store.reading() as snapshot:
        ids = [hit.chunk_id for hit in by_words(snapshot, query, terms_for(snapshot, query), NO_FILTERS)]
        return [source.path for _, source in snapshot.passages(ids)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("flash attention", {"flash.md"}),
        ("What is FlashAttention?", {"flash.md"}),
        ("flashattention", {"flash.md"}),
        ("kv_cache", {"kv_snake.md", "kv_dash.md", "kv_camel.md", "kv_words.md"}),
        ("kv-cache", {"kv_snake.md", "kv_dash.md", "kv_camel.md", "kv_words.md"}),
        ("the KVCache", {"kv_snake.md", "kv_dash.md", "kv_camel.md", "kv_words.md"}),
        ("kv cache", {"kv_snake.md", "kv_dash.md", "kv_camel.md", "kv_words.md"}),
        ("GPT-3", {"gpt_dash.md", "gpt_one.md"}),
        ("GPT3", {"gpt_dash.md", "gpt_one.md"}),
        ("gpt 3", {"gpt_dash.md", "gpt_one.md"}),
        ("How do I write C++?", {"cpp.md"}),
        ("How do I write C?", {"c.md"}),
        ("C# or not", {"csharp.md"}),
        ("csharp", {"csharp.md"}),
        ("F# or not", {"fsharp.md"}),
        ("grade F", {"f.md"}),
        (".NET", {"dotnet.md"}),
        ("dotnet", {"dotnet.md"}),
        ("a net", {"net.md"}),
        ("node.js", {"node.md"}),
        ("nodejs", {"node.md"}),
        ("a node", {"nodes.md", "node.md"}),
        ("top_p", {"topp.md"}),
        ("llama.cpp", {"llama.md"}),
        ("torch.nn.Linear", {"linear.md"}),
        ("nn.Linear", {"linear.md"}),
        ("--max-tokens", {"flag.md"}),
        ("text-embedding-3-small", {"model.md"}),
        ("v0.3.36", {"version.md"}),
        ("version 0.3.36", {"version.md"}),
        ("src/models/loader.py", {"path.md"}),
        ("loader.py", {"path.md"}),
        ("#rag", {"tag.md"}),
        ("ada.lovelace@example.com", {"mail.md"}),
    ],
)
def test_names_are_found_however_they_are_written(named: LocalStore, query: str, first: set[str]) -> None:
    assert set(found(named, query)[: len(first)]) == first


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("arxiv 2304.01904", "arxiv.md"),
        ("2304.01904", "arxiv.md"),
        ("https://arxiv.org/abs/2304.01904", "arxiv.md"),
        ("https://arxiv.org/abs/2304.01904v1", "arxiv.md"),
        ("2304.01905v3", "arxiv2.md"),
        ("the github repo whisper.cpp", "github.md"),
        ("ggerganov on github", "github.md"),
        ("https://github.com/ggerganov/whisper.cpp", "github.md"),
        ("youtube dQw4w9WgXcQ", "video.md"),
        ("what was the youtube video", "video.md"),
        ("openreview.net", "review.md"),
        ("openreview", "review.md"),
        ("beam search decoding", "encoded.md"),
        ("quantize models", "slug.md"),
        ("speculative decoding", "dashes.md"),
    ],
)
def test_links_are_found_by_host_words_and_ids(named: LocalStore, query: str, first: str) -> None:
    assert found(named, query)[0] == first


def test_a_slip_finds_what_was_meant_and_a_number_is_no_slip(named: LocalStore) -> None:
    assert found(named, "the atention of everbody")[:2] == ["attention.md", "flash.md"]
    assert found(named, "swtiched") == ["flash.md"]
    assert found(named, "2304.01906") == found(named, "2304")
    assert "gpt_four.md" not in found(named, "GPT5")


def test_a_name_written_otherwise_is_known_and_answered(tmp_path: Path) -> None:
    notes = {"flash.md": "# Speed\n\nFlashAttention makes training twice as fast.\n\nThe kv_cache is in memory.\n"}
    with searching(tmp_path, notes) as store:
        *_, last = asker_over(store, tmp_path).ask(Request("How fast is training with Flash Attention?"))
    assert isinstance(last, Final)
    assert last.answer.text == "FlashAttention makes training twice as fast."


def test_a_slip_finds_what_was_meant_and_makes_no_answer_of_another_name(tmp_path: Path) -> None:
    notes = {"cellar.md": "# House\n\nThe cellar was painted by Stefan.\n\nRobert mended the window.\n"}
    with searching(tmp_path, notes) as store:
        asker = asker_over(store, tmp_path)
        assert asker.search("Who paintde the cellra?").hits[0].source.path == "cellar.md"
        *_, last = asker.ask(Request("What did Norbert mend?"))
    assert isinstance(last, Final)
    assert not last.answer.answered


SPANISH = {
    "es1.md": "# Empresa\n\nLa transformación digital de las empresas es lo que más cuesta en este país.\n",
    "es2.md": "# Casa\n\nLos árboles del jardín son los que dan más sombra en la casa de mis padres.\n",
    "de1.md": "# Haus\n\nDie Häuser an der Straße sind alt, und der Garten ist größer als unser Hof.\n",
    "fr1.md": "# Maison\n\nLes journaux nationaux sont dans la cave, et l'eau de la rivière est froide.\n",
    "en1.md": "# Films\n\nThey watched Die Hard, and the con man in it was good. It was a sin to miss it.\n",
}


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStore]:
    japanese = {
        "ja.md": "# 検索\n\n検索拡張生成（RAG）は、大規模言語モデルが文書を参照して回答する手法です。\n",
        "zh.md": "# 笔记\n\n量化可以减少模型占用的内存，但是会降低精度。\n",
        "ko.md": "# 메모\n\n트랜스포머는 어텐션으로 문장을 읽는다.\n",
    }
    with searching(tmp_path_factory.mktemp("spoken"), SPANISH | japanese) as store:
        yield store


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("¿Cuáles son las transformaciones de la empresa?", "es1.md"),
        ("transformacion", "es1.md"),
        ("transformación", "es1.md"),
        ("¿Dónde está el árbol que da sombra?", "es2.md"),
        ("Welches Haus ist das in den Straßen?", "de1.md"),
        ("Où est le journal national dans la maison ?", "fr1.md"),
        ("d'eau", "fr1.md"),
        ("who is in Die Hard", "en1.md"),
        ("the con man", "en1.md"),
        ("検索拡張生成とは何ですか", "ja.md"),
        ("言語モデル", "ja.md"),
        ("ragとは", "ja.md"),
        ("模型占用多少内存？", "zh.md"),
        ("트랜스포머가 무엇인가", "ko.md"),
    ],
)
def test_each_language_is_found_by_its_own_words(spoken: LocalStore, query: str, first: str) -> None:
    assert found(spoken, query)[0] == first


def test_the_other_forms_are_not_what_a_citation_shows(spoken: LocalStore) -> None:
    with spoken.reading() as snapshot:
        query = "検索拡張生成"
        best = by_words(snapshot, query, terms_for(snapshot, query), NO_FILTERS)[0]
        [(chunk, _)] = snapshot.passages([best.chunk_id])
    assert chunk.text.endswith("手法です。")
    assert chunk.plain.endswith("手法です。")


WORDS_OF_SYNTAX = r"""
    AND OR NOT NEAR NEAR( " "" ' * ^ : ( ) { } + - , \ plain: links: {context_plain} rowid rank ?1 bread C++
""".split()  # noqa: SIM905
SYNTAX = st.sampled_from([*WORDS_OF_SYNTAX, "forms :", "\0", "\ud800", "\ue000es"]) | st.text(max_size=8)


@given(st.lists(SYNTAX, min_size=1, max_size=30), st.sampled_from(["", " "]))
@settings(deadline=None)
def test_nothing_in_a_question_is_syntax(named: LocalStore, parts: list[str], between: str) -> None:
    paths = found(named, between.join([*parts, " bread"]))
    assert "other8.md" in paths


@pytest.mark.parametrize(
    "query",
    ['NEAR("a' * 570, "(" * 4000, '"' * 4000, "* " * 2000, "AND OR " * 570, "\0" * 4000, "a-" * 2000, "aB" * 2000],
)
def test_four_thousand_characters_of_syntax_are_searched(named: LocalStore, query: str) -> None:
    assert found(named, query[:3990] + " bread") != []


def test_a_thousand_words_are_searched(named: LocalStore) -> None:
    words = " ".join(f"{first}{second}" for first in "bcdfghjklmnpqrstvwxz" for second in range(50))
    assert len(words.split()) == 1000
    assert found(named, f"{words} bread")[0] == "other8.md"
