"""Chat templates of model files: what they write around our texts, and what happens when one is no good."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from ragnotes.models.chat_template import template_of
from ragnotes.models.generator_process import LlamaGenerator
from ragnotes.models.slots import Slot
from ragnotes.models.templates import render
from ragnotes.ports import Prompt

LLAMA_3 = """{{- bos_token }}
{%- if strftime_now is defined %}{% set date = strftime_now('%d %b %Y') %}
{%- else %}{% set date = '26 Jul 2024' %}{% endif %}
{%- if messages[0]['role'] == 'system' %}{% set system = messages[0]['content']|trim %}{% set messages = messages[1:] %}
{%- else %}{% set system = '' %}{% endif %}
{{- '<|start_header_id|>system<|end_header_id|>\n\n' + 'Today Date: ' + date + '\n\n' + system + '<|eot_id|>' }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"""
GEMMA = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for message in messages -%}
{{ '<start_of_turn>' + message['role'] + '\n' + message['content'] | trim + '<end_of_turn>\n' }}
{%- endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"""
MISTRAL = """{%- if messages[0]['role'] == 'system' %}
{%- set system = messages[0]['content'] %}{% set rest = messages[1:] %}
{%- else %}{% set rest = messages %}{% endif %}{{ bos_token }}
{%- for message in rest %}{% if message['role'] == 'user' %}
{%- if loop.last and system is defined %}{{ '[INST] ' + system + '\n\n' + message['content'] + '[/INST]' }}
{%- else %}{{ '[INST] ' + message['content'] + '[/INST]' }}{% endif %}
{%- else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"""
QWEN_3 = """{%- for message in messages %}{% if message.content is string %}
{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endif %}{% endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{% endif %}
{%- endif %}"""
LISTED = """{% for message in messages %}<|{{ message.role }}|>
{%- for part in message.content %}{{ part['text'] }}{% endfor %}{% endfor %}<|assistant|>"""
SYSTEM, USER = Slot.SYSTEM, Slot.USER


def parts(source: str) -> tuple[str | Slot, ...] | None:
    template = template_of(source, bos="<s>", eos="</s>")
    return template.parts if template else None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            LLAMA_3,
            (
                "<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\n",
                SYSTEM,
                "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
                USER,
                "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
            ),
            id="llama-3, with the date that it falls back on",
        ),
        pytest.param(
            GEMMA,
            ("<s><start_of_turn>user\n", SYSTEM, "\n\n", USER, "<end_of_turn>\n<start_of_turn>model\n"),
            id="gemma, which refuses a system text",
        ),
        pytest.param(MISTRAL, ("<s>[INST] ", SYSTEM, "\n\n", USER, "[/INST]"), id="mistral"),
        pytest.param(
            QWEN_3,
            (
                "<|im_start|>system\n",
                SYSTEM,
                "<|im_end|>\n<|im_start|>user\n",
                USER,
                "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
            ),
            id="qwen-3, told not to think aloud",
        ),
        pytest.param(
            LISTED,
            ("<|system|>", SYSTEM, "<|user|>", USER, "<|assistant|>"),
            id="content in parts",
        ),
        pytest.param(
            "{% for m in messages if m.role == 'user' %}[{{ m.content }}]{% endfor %}",
            ("[", SYSTEM, "\n\n", USER, "]"),
            id="a system text that is passed over goes to the user's",
        ),
        pytest.param(
            "{% generation %}{{ messages[0].content }}{% endgeneration %}|{{ messages[1].content }}|",
            (SYSTEM, "|", USER, "|"),
            id="marks for training",
        ),
        pytest.param(
            "{{ {'a': 1} | tojson(ensure_ascii=true) | length }}{{ messages[0].content }}|{{ messages[1].content }}",
            ("8", SYSTEM, "|", USER),
            id="json",
        ),
        pytest.param(
            "{{ strftime_now('') }}{{ messages[0].content }}|{{ messages[1].content }}",
            (SYSTEM, "|", USER),
            id="a date where it does not do without",
        ),
    ],
)
def test_a_template_becomes_its_own_parts_and_places_for_our_texts(
    source: str, expected: tuple[str | Slot, ...]
) -> None:
    assert parts(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("", id="none"),
        pytest.param("{% for", id="no template"),
        pytest.param("{{ raise_exception('never') }}", id="raises"),
        pytest.param("{{ messages[0].content }} {{ messages[-1].content }} {{ messages[-1].content }}", id="repeats"),
        pytest.param("{{ messages[0].content | upper }} {{ messages[-1].content | upper }}", id="changes"),
        pytest.param("Answer as you like.", id="passes over"),
        pytest.param("{{ messages[0].content }}{{ messages[-1].content }}{{ 'x' * 300000 }}", id="too long"),
        pytest.param("{{ 'x' * 10**11 }}{{ messages[-1].content }}", id="memory"),
        pytest.param("{{ ''.__class__.__mro__[1].__subclasses__() }}{{ messages[-1].content }}", id="reaches python"),
        pytest.param("{{ cycler.__init__.__globals__.os.nice(1) }}{{ messages[-1].content }}", id="reaches os"),
        pytest.param("{{ messages.append(1) }}{{ messages[-1].content }}", id="changes what it is given"),
        pytest.param("{% include '/etc/passwd' %}{{ messages[-1].content }}", id="includes a file"),
    ],
)
def test_a_template_that_cannot_be_used_is_none(source: str) -> None:
    assert parts(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ messages[-1].content }}",
        "{{ 9 ** (9 ** 9) }}{{ messages[-1].content }}",
    ],
    ids=["loops", "counts"],
)
def test_a_template_that_never_ends_is_ended(source: str) -> None:
    start = time.monotonic()
    assert parts(source) is None
    assert time.monotonic() - start < 25


def test_the_process_that_runs_a_template_imports_no_numpy() -> None:
    """Its memory is limited, and OpenBLAS reserves some for every core: with 12 of them no template was used."""
    code = "import sys, ragnotes.models.chat_template; print('numpy' in sys.modules, 'ragnotes.ports' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


def test_our_texts_come_through_whatever_they_spell() -> None:
    template = template_of(QWEN_3, bos="", eos="")
    assert template is not None
    for text in ("<|im_end|>", "{{ 7 * 7 }}", "{% raw %}", "RagnotesUserText57c2", "</think>"):
        segments = render(template, Prompt("rules", text))
        assert [part.text for part in segments if not part.control] == ["rules", text]


def as_llama_cpp_renders(source: str, messages: list[tuple[str, str]], *, bos: str, eos: str) -> str:
    render_chat = Jinja2ChatFormatter(template=source, bos_token=bos, eos_token=eos)
    return str(render_chat(messages=[{"role": role, "content": text} for role, text in messages]).prompt)


@pytest.mark.parametrize("source", [GEMMA, MISTRAL], ids=["gemma", "mistral"])
def test_a_prompt_is_what_llama_cpps_own_renderer_writes(source: str) -> None:
    system, user = "Answer in one sentence.", "What is a cache?\n\n- {a}\n- b"
    template = template_of(source, bos="<s>", eos="</s>")
    assert template is not None
    messages = [("user", f"{system}\n\n{user}")] if source is GEMMA else [("system", system), ("user", user)]
    written = as_llama_cpp_renders(source, messages, bos="<s>", eos="</s>")
    assert "".join(part.text for part in render(template, Prompt(system, user))) == written


@pytest.mark.model
def test_the_bundled_models_template_writes_what_llama_cpp_writes(
    generator: LlamaGenerator, chat_template: str
) -> None:
    system, user = "Answer in one sentence.", "What is a cache?\n\n- a\n- b"
    messages = [("system", system), ("user", user)]
    written = as_llama_cpp_renders(chat_template, messages, bos="<|im_start|>", eos="<|im_end|>")
    segments = generator.render(Prompt(system, user))
    assert "".join(part.text for part in segments) == written
    as_one = generator.encode([segments[0]._replace(text=written)])
    assert generator.encode(segments) == as_one
    assert len(as_one) == generator.prompt_tokens(Prompt(system, user))


@pytest.mark.model
@pytest.mark.parametrize("source", ["{{ raise_exception('no') }}", "{% for x in range(9) %}{{ x }}{% endfor %}"])
def test_a_file_whose_template_is_no_good_is_asked_in_a_form_of_its_vocabulary(
    gguf: Path, tmp_path: Path, chat_template: str, source: str
) -> None:
    path = tmp_path / "other.gguf"
    content = gguf.read_bytes()
    other = source.encode().ljust(len(chat_template.encode()))
    assert content.count(chat_template.encode()) == 1
    path.write_bytes(content.replace(chat_template.encode(), other))
    odd = LlamaGenerator(path, threads=1, context_tokens=512, queue_length=1)
    try:
        text = "".join(part.text for part in odd.render(Prompt("rules", "question")))
        assert text.startswith("<|im_start|>system\nrules<|im_end|>\n<|im_start|>user\nquestion<|im_end|>")
    finally:
        odd.close()


@pytest.mark.model
def test_a_file_with_a_template_of_another_family_is_asked_in_that(
    gguf: Path, tmp_path: Path, chat_template: str
) -> None:
    path = tmp_path / "other.gguf"
    source = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]"
    path.write_bytes(gguf.read_bytes().replace(chat_template.encode(), source.encode().ljust(len(chat_template))))
    other = LlamaGenerator(path, threads=1, context_tokens=512, queue_length=1)
    try:
        text = "".join(part.text for part in other.render(Prompt("rules", "question")))
        assert text.strip() == "[system]rules[user]question[assistant]"
        draft = other.generate(Prompt("rules", "question"), max_tokens=4, cancelled=lambda: False)
        list(draft)
        assert draft.usage is not None
        assert draft.usage.prompt_tokens == other.prompt_tokens(Prompt("rules", "question"))
    finally:
        other.close()
