from __future__ import annotations

from pathlib import Path

import pytest

from ragnotes.answers import Answer
from ragnotes.asking.answering import Request
from ragnotes.asking.link_questions import asks_for_link, subject_of_link
from ragnotes.events import Final
from tests.asking.stage import HASHED, ScriptedGenerator, asker_over, index_notes

NOTES = {
    "reading.md": (
        "---\ntitle: Reading\n---\n\n## Papers\n\n"
        "* [Formal Algorithms for Transformers](https://arxiv.org/abs/2207.09238), found by this"
        " [HN comment](https://news.example.org/item?id=1) on Hopf algebras\n"
        "* ALiBi biases attention by distance\n  * https://arxiv.org/abs/2108.12409\n"
        "* Raptor builds a tree of summaries, arxiv.org/abs/2401.18059\n"
        "* The squirrel paper is lost\n\n"
        "## Talks\n\nSam spoke on prompting in Berlin. The [slides](https://talks.example.org/sam.pdf) are good.\n\n"
        "| Tool | Repo |\n|---|---|\n| whisper | <https://github.com/openai/whisper> |\n"
        "| ollama | [code][o] |\n\n[o]: https://github.com/ollama/ollama\n"
    ),
}


def ask(
    folder: Path, question: str, generator: ScriptedGenerator | None = None, notes: dict[str, str] = NOTES
) -> Answer:
    store = index_notes(folder, notes, HASHED)
    *_, last = asker_over(store, folder, generator).ask(Request(question, llm=generator is not None))
    store.close()
    assert isinstance(last, Final)
    return last.answer


@pytest.mark.parametrize(
    "question",
    [
        "What was the link for the illustrated transformer?",
        "Which arXiv paper introduces RWKV?",
        "where is the repo of llama.cpp?",
        "what's the URL of the talk about prompting",
        "What is the website of Ollama?",
        "Do I have a link to the Karpathy video?",
        "Where is the notebook from the Burchell talk?",
        "Where can I find the slides of the Berlin talk?",
        "where did I save the article about chunking",
        "Which GitHub repo did I bookmark for diarization?",
        "give me the links to the Mistral posts",
        "whisper github repo",
        "arXiv 2304.01904",
        "¿Cuál era el enlace de los transformers ilustrados?",
        "¿Dónde está el repositorio de llama.cpp?",
        "link zum Paper über ALiBi",
        "Wo finde ich das Repo von whisper?",
        "Wie lautet die URL der Dokumentation?",
        "Which links have I saved about diarization?",
        "what repo do I use for the dotfiles?",
        "what GitHub repo?",
    ],
)
def test_a_question_for_a_link_is_known_by_what_it_asks(question: str) -> None:
    assert asks_for_link(question)


@pytest.mark.parametrize(
    "question",
    [
        "Where was the battle of Hastings fought?",
        "What is the link between smoking and cancer?",
        "What is the missing link in human evolution?",
        "When did GitHub go down?",
        "When did I save the link for the talk?",
        "Who wrote the paper on ALiBi?",
        "Where was the paper published?",
        "Where did the talk take place?",
        "Why did the website crash?",
        "What did Ana say about the website?",
        "How many repos did we migrate?",
        "What URL scheme do we use?",
        "what repository pattern do I use?",
        "Which link layer protocol did we pick?",
        "What GitHub action runs the tests?",
        "¿Dónde está Madrid?",
        "Wo war die Schlacht?",
        "Welche Verbindung zwischen den Orten gab es?",
    ],
)
def test_a_question_for_a_place_or_about_a_website_asks_for_no_link(question: str) -> None:
    assert not asks_for_link(question)


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("What was the link for the illustrated transformer?", "illustrated transformer"),
        ("Link zum Artikel über Raptor", "Raptor"),
        ("¿Cuál era el enlace de Raptor?", "Raptor"),
        ("What is the link?", "What is the link?"),
    ],
)
def test_what_the_link_leads_to_is_what_is_looked_for(question: str, subject: str) -> None:
    rest = subject_of_link(question)
    assert all(word in rest for word in subject.split())
    assert "enlace" not in rest
    assert "Artikel" not in rest


@pytest.mark.parametrize(
    ("question", "url"),
    [
        ("What was the link for Formal Algorithms for Transformers?", "https://arxiv.org/abs/2207.09238"),
        ("What was the link of the comment on Hopf algebras?", "https://news.example.org/item?id=1"),
        ("Which arXiv paper biases attention by distance?", "https://arxiv.org/abs/2108.12409"),
        ("link zum Paper über Raptor", "arxiv.org/abs/2401.18059"),
        ("arXiv 2401.18059", "arxiv.org/abs/2401.18059"),
        ("Where are the slides about prompting in Berlin?", "https://talks.example.org/sam.pdf"),
        ("Where is the repo of whisper?", "https://github.com/openai/whisper"),
        ("¿Cuál era el repositorio de ollama?", "https://github.com/ollama/ollama"),
    ],
)
def test_the_link_comes_first_in_the_answer_and_with_citation_and_hit(tmp_path: Path, question: str, url: str) -> None:
    answer = ask(tmp_path, question)
    assert f"({url}" in answer.sentences[0].text
    assert answer.citations[0].links[0] == url
    assert any(url in hit.chunk.links for hit in answer.passages)


def test_no_link_of_another_item_is_told(tmp_path: Path) -> None:
    answer = ask(tmp_path, "What was the link for the squirrel paper that is lost?")
    assert answer.sentences[0].text == "The squirrel paper is lost"
    assert answer.citations[0].links == ()


def test_no_link_is_told_twice_and_none_where_none_was_asked_for(tmp_path: Path) -> None:
    links = ask(tmp_path, "links about papers on transformers and attention")
    assert links.text.count("https://arxiv.org/abs/2207.09238") == 1
    assert "http" not in ask(tmp_path, "Who spoke on prompting in Berlin?").text


def test_links_are_told_as_they_stand_and_not_by_the_model(tmp_path: Path) -> None:
    generator = ScriptedGenerator("Raptor builds a tree of summaries.")
    answer = ask(tmp_path, "Where is the paper about Raptor and its tree of summaries?", generator)
    assert "arxiv.org/abs/2401.18059" in answer.text
    assert generator.prompts == []


@pytest.mark.parametrize(
    ("note", "links"),
    [
        ("The tiger sleeps. See [lion page](https://x.org/a) for the lion.", ()),
        ("The tiger sleeps. See [the tigers](https://x.org/a) for more.", ("https://x.org/a",)),
        ("The tiger sleeps. See the [full article](https://x.org/a) for more.", ("https://x.org/a",)),
        ("The tiger sleeps. More at https://x.org/a.", ("https://x.org/a",)),
        ("- [Big cats](https://x.org/a)\n  - the tiger sleeps\n", ("https://x.org/a",)),
        ("## [Big cats](https://x.org/a)\n\nThe tiger sleeps.", ("https://x.org/a",)),
    ],
)
def test_a_link_beside_that_names_something_else_is_not_told(tmp_path: Path, note: str, links: tuple[str, ...]) -> None:
    answer = ask(tmp_path, "What was the link for the tiger that sleeps?", notes={"cats.md": note})
    assert answer.citations[0].links == links
    assert answer.text.count("https://x.org/a") == len(links)
