"""The language model inside ragnotes beside raw llama.cpp, and how soon its first token comes."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reliability.serving import Served, indexed, serving
from benchmarks.speed.engines import Engine, running, together
from benchmarks.speed.figures import Figure, Result, Table, in_rounds
from benchmarks.speed.inputs import notes_in
from benchmarks.speed.plan import Plan, say

__all__ = ["measure"]

CONTEXT_TOKENS = 4096
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait asleep: slower on an idle machine, several times as fast on a busy one."""
WRITTEN = 96
FEWEST = 8
"""Tokens of a draft whose rate is worth knowing."""
CHARACTERS = 2400
SEED = 3
OWN, PLAIN = "first token, ragnotes", "first token, plain pipeline"
BY_HTTP = "first checked words, ragnotes by HTTP"
SYSTEM = "You retell what the user gives you, at length."


def measure(plan: Plan) -> Result:
    """Rates with the same texts, one after the other; then real questions about the seed notes."""
    index = plan.work / "asked"
    indexed(plan.inputs.seed_notes, index)
    with running("ragnotes_library") as own, running("raw_llama") as raw, running("raw_llama", environ=PASSIVE) as calm:
        threads = own.do("ready").result
        own.do("open", corpus=str(plan.inputs.seed_notes), index=str(index))
        for each in (raw, calm):
            each.do("load", threads=threads, context_tokens=CONTEXT_TOKENS)
        ratios, rates = _rates(plan, own, (raw, calm))
    first = _first_tokens(plan, index)
    return _result(ratios, rates, first, threads)


def _rates(plan: Plan, own: Engine, raws: Sequence[Engine]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Ratios to raw llama.cpp, and tokens per second of both, for reading a prompt and for writing.

    Of several raw ones that counts which is the faster over all drafts.
    """
    seconds: dict[tuple[str, int], list[float]] = defaultdict(list)
    tokens: dict[str, list[int]] = defaultdict(list)
    texts = _texts(plan, plan.rounds * plan.drafts + 1)
    own.do("draft", system=SYSTEM, user=texts[-1], max_tokens=4)  # reads the instruction, which is kept from then on
    for text in texts[:-1]:
        mine = own.do("draft", system=SYSTEM, user=text, max_tokens=WRITTEN).result
        if mine["written"] < FEWEST:
            continue
        same = {"text": text + text, "read": mine["read"], "written": mine["written"]}
        for number, found in enumerate([mine, *(raw.do("draft", **same).result for raw in raws)]):
            seconds["read", number].append(found["first_s"])
            seconds["write", number].append(found["rest_s"])
        tokens["read"].append(mine["read"])
        tokens["write"].append(mine["written"] - 1)
    ratios: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    for what, counts in tokens.items():
        theirs = min((seconds[what, number] for number in range(1, len(raws) + 1)), key=sum)
        ratios[what] = [other / own_s for own_s, other in zip(seconds[what, 0], theirs, strict=True)]
        for name, each in (("ragnotes", seconds[what, 0]), ("raw llama.cpp", theirs)):
            rates[f"{name}, {what}"] = [count / second for count, second in zip(counts, each, strict=True)]
        say(f"generate: {what} {in_rounds(ratios[what])}")
    return ratios, rates


def _texts(plan: Plan, number: int) -> list[str]:
    """Pieces of the notes, none of which begins like another."""
    read = " ".join(" ".join(note.read_text("utf-8", "replace").split()) for note in notes_in(plan.inputs.vaults))
    starts = random.Random(SEED).sample(range(max(number, len(read) - CHARACTERS)), number)
    return [read[start : start + CHARACTERS] for start in starts]


def _first_tokens(plan: Plan, index: Path) -> dict[str, list[float]]:
    """Seconds to the first token of a draft, for questions that ragnotes asks its model; all engines warm, in turn."""
    questions = [question.text for question in plan.inputs.answerable()]
    taken: dict[str, list[float]] = defaultdict(list)
    names = plan.engines("ragnotes", "plain")
    with together(names, plan.peers) as engines, serving(plan.inputs.seed_notes, index) as served:
        threads = engines["ragnotes"].do("ready").result
        engines["ragnotes"].do("open", corpus=str(plan.inputs.seed_notes), index=str(index))
        if "plain" in engines:
            engines["plain"].do("load_model", threads=threads)
            engines["plain"].do("index", folder=str(plan.inputs.seed_notes))
        for engine in engines.values():  # and what is loaded at the first question
            engine.do("first_token_s", question=questions[-1])
        for question in questions[:-1]:
            own = engines["ragnotes"].do("first_token_s", question=question).result
            if own is None:  # the notes themselves are the answer
                continue
            taken[OWN].append(own)
            taken[BY_HTTP].append(_first_words_s(served, question))
            if "plain" in engines:
                taken[PLAIN].append(engines["plain"].do("first_token_s", question=question).result)
            if len(taken[OWN]) == plan.rounds * plan.drafts:
                break
    for name, each in taken.items():
        say(f"generate: first token, {name}: {statistics.median(each):.3f} s")
    return taken


def _first_words_s(served: Served, question: str) -> float:
    """Seconds to the first words of an answer that may be the model's: of a checked sentence, not of a draft."""
    body = {"question": question, "stream": True}
    started = time.perf_counter()
    with served.client() as client, client.stream("POST", "/v1/ask", json=body) as answer:
        for line in answer.iter_lines():
            if line == "event: token" or (line.startswith("data:") and "sentences" in json.loads(line[5:])):
                return time.perf_counter() - started
    raise RuntimeError(f"no words came for {question!r}")


def _result(
    ratios: dict[str, list[float]], rates: dict[str, list[float]], first: dict[str, list[float]], threads: int
) -> Result:
    median = statistics.median
    figures = [
        Figure(f"{name} rate", in_rounds(ratios[what]), median(ratios[what]) >= 0.95)
        for what, name in (("read", "prompt"), ("write", "write"))
        if ratios[what]
    ]
    if first[PLAIN]:
        faster = [theirs / mine for mine, theirs in zip(first[OWN], first[PLAIN], strict=True)]
        figures.append(Figure("first token", in_rounds(faster, "x faster"), median(faster) >= 3))
    rows = [(name, f"{median(each):.0f}", f"{min(each):.0f}", str(len(each))) for name, each in rates.items()]
    waits = [(name, f"{median(each):.3f}", f"{max(each):.3f}", str(len(each))) for name, each in first.items() if each]
    note = f"The same texts and numbers of tokens, {threads} threads, one after the other. What of a prompt is known"
    note += " from the one before is not counted. Raw is llama-cpp-python's lowest level, at llama.cpp's defaults,"
    note += " once with threads that spin while they wait and once with threads that sleep: the faster one counts."
    asked = "Questions about the seed notes for which ragnotes asks its model. Its first token is one of a draft; what"
    asked += " a client is sent are checked sentences, or the evidence itself where no sentence of the draft stands."
    return Result(
        "generate",
        figures,
        [
            Table("Generation", ("", "tokens/s, median", "least", "drafts"), rows, note),
            Table("Time to the first token", ("", "median s", "most", "questions"), waits, asked),
        ],
        {"evidence": {name: [(0.0, median(each))] for name, each in first.items() if each}},
    )
