"""Many askers at once while notes change, and how long one waits beside a generation and an indexing run.

All of it goes over HTTP to a real server with the bundled models.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.reliability.scenarios import Figure
from benchmarks.reliability.serving import Served, indexed, rss_bytes, serving

__all__ = ["SAMPLE", "beside_work", "many_askers", "many_at_once", "questions", "waits_beside_work"]

SAMPLE = Path(__file__).parents[2] / "corpus"
ASKERS = 20
CHURNED = 12
"""Notes that are written, edited and deleted meanwhile."""
SECTIONS = 4
MINUTES = 10.0
COMPARED = 20
BESIDE_MINUTES = 2.0
RATIO = 4.0
HEALTH_MS = 50.0

_WORDS = (
    *("river", "harbour", "lantern", "copper", "meadow", "window"),
    *("engine", "paper", "winter", "garden", "signal", "bridge"),
)


def questions() -> list[str]:
    """The questions of the sample corpus."""
    lines = (SAMPLE / "questions.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["question"] for line in lines]


def versioned_note(number: int, version: int) -> str:
    """A note of several passages that all tell the same version, as long as they are of one generation."""
    parts = [
        f"## Part {part} of log {number}\n\n" + f"The {_WORDS[number]} log is at version v{version}v. " * 12
        for part in range(SECTIONS)
    ]
    return f"# The {_WORDS[number]} log\n\n" + "\n\n".join(parts) + "\n"


@dataclass(slots=True)
class Seen:
    """What the clients saw. Filled by many threads, each with single calls."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[tuple[str, bool, int], set[str]] = field(default_factory=lambda: defaultdict(set))


def many_askers(_work: Path, short: bool) -> list[Figure]:
    """Ten minutes of `many_at_once`; half a minute where it is to be short."""
    told = many_at_once(0.5, compared=4) if short else many_at_once(MINUTES, compared=COMPARED)
    wrong, syncs = told["wrong"], told["syncs"]
    return [
        Figure("minutes, askers and searchers at once", f"{told['minutes']:g}, {told['askers']}"),
        Figure("requests", ", ".join(f"{outcome} {n:,}" for outcome, n in told["outcomes"].items())),
        Figure("indexing runs meanwhile", f"{syncs}", "at least 2", syncs >= 2),
        Figure("answers compared with a serial run", str(told["compared with a serial run"])),
        Figure(
            "crashes, errors but 503 with Retry-After, torn reads, answers unlike the serial run",
            f"{len(wrong)}: {'; '.join(wrong[:3])}"[:1000] if wrong else "0",
            "0",
            not wrong,
        ),
        Figure("p95 of what was answered", ", ".join(f"{kind} {at:.2f} s" for kind, at in told["p95_s"].items())),
        Figure("memory of the server at the end", f"{told['rss_mb']} MB"),
    ]


def waits_beside_work(_work: Path, short: bool) -> list[Figure]:
    """`beside_work` for two minutes; half a minute where it is to be short."""
    told = beside_work(0.5 if short else BESIDE_MINUTES)
    ratio, health_ms = told["search p95 busy/idle"], told["health busy 99% ms"]
    return [
        Figure("searches beside the work", str(told["searches"])),
        Figure("search p95, idle and busy", f"{told['search idle 95% ms']:g} ms, {told['search busy 95% ms']:g} ms"),
        Figure("search p95, busy over idle", f"{ratio:g}", f"at most {RATIO:g}", ratio <= RATIO),
        Figure("/health p99, busy", f"{health_ms:g} ms", f"under {HEALTH_MS:g} ms", health_ms < HEALTH_MS),
    ]


def many_at_once(minutes: float, *, askers: int = ASKERS, compared: int | None = None) -> dict[str, Any]:
    """Figures of many askers and searchers beside indexing, edits and deletes; `wrong` lists all that may not be.

    At its end every question, or the first `compared`, is asked at once, and again one by one of a fresh server.
    """
    with tempfile.TemporaryDirectory() as folder:
        corpus, index = Path(folder, "corpus"), Path(folder, "index")
        shutil.copytree(SAMPLE, corpus)
        for number in range(CHURNED):
            (corpus / f"churn-{number}.md").write_text(versioned_note(number, 0))
        indexed(corpus, index)
        with serving(corpus, index) as served:
            seen, syncs = _hammered(served, corpus, minutes, askers)
            memory = rss_bytes(served.process.pid)
            together = _asked_together(served, questions()[:compared], askers)
            log = served.log.read_text()
        if served.process.returncode != 0:
            seen.wrong.append(f"the server ended with {served.process.returncode}")
        with serving(corpus, index) as fresh:
            alone = _asked_alone(fresh, together)
    seen.wrong += [f"{ask}: {together[ask]} and alone {alone[ask]}" for ask in together if together[ask] != alone[ask]]
    seen.wrong += [f"{key}: {texts}" for key, texts in seen.answers.items() if len(texts) > 1]
    if "Traceback" in log:
        seen.wrong.append(f"the log has {log[:2000]}")
    return {
        "minutes": minutes,
        "askers": askers,
        "requests": sum(seen.outcomes.values()),
        "outcomes": dict(sorted(seen.outcomes.items())),
        "syncs": syncs,
        "compared with a serial run": len(together),
        "p95_s": {name: round(_at(seconds, 0.95), 3) for name, seconds in sorted(seen.seconds.items())},
        "rss_mb": memory // 2**20,
        "wrong": seen.wrong,
    }


def _hammered(served: Served, corpus: Path, minutes: float, askers: int) -> tuple[Seen, int]:
    seen, stop = Seen(), threading.Event()
    syncs: list[int] = []
    churn = threading.Thread(target=_churn, args=(served, corpus, stop, seen, syncs))
    threads = [threading.Thread(target=_ask_on, args=(served, seed, stop, seen)) for seed in range(askers)]
    for thread in [churn, *threads]:
        thread.start()
    stop.wait(minutes * 60)
    stop.set()
    for thread in [churn, *threads]:
        thread.join()
    return seen, len(syncs)


def _churn(served: Served, corpus: Path, stop: threading.Event, seen: Seen, syncs: list[int]) -> None:
    """Edits, deletes and new notes, each followed by a sync."""
    chance = random.Random(0)
    with served.client() as client:
        for version in itertools.count(1):
            if stop.is_set():
                return
            for number in chance.sample(range(CHURNED), 3):
                note = corpus / f"churn-{number}.md"
                if note.exists() and chance.random() < 0.3:
                    note.unlink()
                else:
                    note.with_suffix(".tmp").write_text(versioned_note(number, version))
                    note.with_suffix(".tmp").replace(note)
            try:
                syncs.append(synced(client)["summary"]["generation"])
            except Exception as error:  # a thread's edge: told in the figures
                seen.wrong.append(f"sync: {error!r}")
                return


def synced(client: httpx.Client) -> dict[str, Any]:
    """The job of a sync, when it is done."""
    job: dict[str, Any] = client.post("/v1/index/sync", json={}).raise_for_status().json()
    while job["state"] in ("queued", "running"):
        time.sleep(0.05)
        job = client.get(f"/v1/jobs/{job['id']}").raise_for_status().json()
    if job["state"] != "done":
        raise RuntimeError(str(job["error"]))
    return job


def _ask_on(served: Served, seed: int, stop: threading.Event, seen: Seen) -> None:
    chance = random.Random(seed)
    asked = questions()
    with served.client() as client:
        while not stop.is_set():
            kind = chance.choices(["search", "ask", "stream", "extract", "library"], [8, 3, 1, 4, 1])[0]
            started = time.monotonic()
            try:
                outcome = _ACTS[kind](client, chance, asked, seen)
            except httpx.HTTPError as error:
                outcome = f"{kind} {type(error).__name__}"
                seen.wrong.append(f"{kind}: {error!r}")
            seen.outcomes[outcome] += 1
            if outcome.endswith(" 200"):
                seen.seconds[kind].append(time.monotonic() - started)


def _search(client: httpx.Client, chance: random.Random, asked: Sequence[str], seen: Seen) -> str:
    log = chance.randrange(CHURNED)
    query = chance.choice([chance.choice(asked), f"the {_WORDS[log]} log version"])
    answer = client.post("/v1/search", json={"query": query, "limit": 10})
    if answer.status_code == 200:
        _check_one_version(answer.json()["hits"], seen)
    return _outcome("search", answer, seen)


def _check_one_version(hits: Sequence[dict[str, Any]], seen: Seen) -> None:
    """Passages of one note that tell different versions are of two generations."""
    versions: dict[str, set[str]] = defaultdict(set)
    for hit in hits:
        versions[hit["path"]] |= {word for word in hit["text"].split() if word.startswith("v") and word.endswith("v.")}
    seen.wrong += [f"torn: {path} {found}" for path, found in versions.items() if len(found) > 1]


def _ask(client: httpx.Client, chance: random.Random, asked: Sequence[str], seen: Seen, *, llm: bool = True) -> str:
    question = chance.choice(asked)
    answer = client.post("/v1/ask", json={"question": question, "llm": llm})
    if answer.status_code == 200:
        _keep(answer.json(), question, llm, seen)
    return _outcome("ask" if llm else "extract", answer, seen)


def _extract(client: httpx.Client, chance: random.Random, asked: Sequence[str], seen: Seen) -> str:
    return _ask(client, chance, asked, seen, llm=False)


def _stream(client: httpx.Client, chance: random.Random, asked: Sequence[str], seen: Seen) -> str:
    """One stream in four is left in the middle."""
    leaves = chance.random() < 0.25
    question = chance.choice(asked)
    with client.stream("POST", "/v1/ask", json={"question": question, "stream": True}) as answer:
        if answer.status_code != 200:
            answer.read()
            return _outcome("stream", answer, seen)
        name = ""
        for line in answer.iter_lines():
            name = line.removeprefix("event: ") if line.startswith("event: ") else name
            if leaves and name == "passages":
                return "stream left"
            if name == "final" and line.startswith("data: "):
                _keep(json.loads(line.removeprefix("data: ")), question, True, seen)
        if name != "final":
            seen.wrong.append(f"a stream ended with {name}: {question}")
        return _outcome("stream", answer, seen)


def _library(client: httpx.Client, chance: random.Random, _: Sequence[str], seen: Seen) -> str:
    route = chance.choice(["/v1/status", "/v1/documents", "/ready", "/health"])
    return _outcome("library", client.get(route), seen)


_ACTS: dict[str, Callable[[httpx.Client, random.Random, Sequence[str], Seen], str]] = {
    "search": _search,
    "ask": _ask,
    "extract": _extract,
    "stream": _stream,
    "library": _library,
}


def _outcome(kind: str, answer: httpx.Response, seen: Seen) -> str:
    refused = answer.status_code == 503 and "retry-after" in answer.headers
    if answer.status_code != 200 and not refused:
        seen.wrong.append(f"{kind}: {answer.status_code} {answer.text}")
    return f"{kind} {answer.status_code}"


def _keep(answer: dict[str, Any], question: str, llm: bool, seen: Seen) -> None:
    """Answers of one generation are equal, but for what changed on disk meanwhile and was left out."""
    if not answer["left_out"]:
        seen.answers[question, llm, answer["generation"]].add(answer["answer"])
    for citation in answer["citations"]:
        if not citation["quote"]:
            seen.wrong.append(f"an empty quote: {question}")


def _asked_together(served: Served, asked: Sequence[str], askers: int) -> dict[str, str]:
    """Answers to questions asked at once, refused ones asked again. The index stands still."""
    with served.client() as client:
        synced(client)

    def answer(question: str) -> str:
        with served.client() as client:
            while (got := client.post("/v1/ask", json={"question": question})).status_code == 503:
                time.sleep(0.2)
            return str(got.raise_for_status().json()["answer"])

    with ThreadPoolExecutor(askers) as pool:
        return dict(zip(asked, pool.map(answer, asked), strict=True))


def _asked_alone(served: Served, together: dict[str, str]) -> dict[str, str]:
    with served.client() as client:
        return {
            question: str(client.post("/v1/ask", json={"question": question}).raise_for_status().json()["answer"])
            for question in together
        }


def beside_work(minutes: float) -> dict[str, Any]:
    """How long searches and /health take when nothing else goes on, and beside one generation and one indexing run.

    Two searches a second, twenty probes a second, from one client each; half of the time for each state.
    """
    with tempfile.TemporaryDirectory() as folder:
        corpus, index = Path(folder, "corpus"), Path(folder, "index")
        shutil.copytree(SAMPLE, corpus)
        indexed(corpus, index)
        with serving(corpus, index) as served:
            _latencies(served, 3)
            idle = _latencies(served, minutes * 30)
            stop, done = threading.Event(), Counter[str]()
            work = [
                threading.Thread(target=target, args=(served, stop, corpus, done))
                for target in (_index_on, _generate_on)
            ]
            for thread in work:
                thread.start()
            busy = _latencies(served, minutes * 30)
            stop.set()
            for thread in work:
                thread.join()
    figures = {
        f"{name} {state} {share:.0%} ms": round(_at(seconds[name], share) * 1000, 1)
        for state, seconds in (("idle", idle), ("busy", busy))
        for name in ("search", "health")
        for share in (0.5, 0.95, 0.99)
    }
    ratio = _at(busy["search"], 0.95) / _at(idle["search"], 0.95)
    counts = {"searches": len(busy["search"]), "drafts meanwhile": done["drafts"], "runs meanwhile": done["runs"]}
    return {"minutes": minutes, **counts, **figures, "search p95 busy/idle": round(ratio, 2)}


def _latencies(served: Served, seconds: float) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {"search": [], "health": []}
    ends = time.monotonic() + seconds

    def search(client: httpx.Client, number: int) -> None:
        query = f"{questions()[number % len(questions())]} {number}"
        client.post("/v1/search", json={"query": query}).raise_for_status()

    def probe(client: httpx.Client, _: int) -> None:
        client.get("/health").raise_for_status()

    def repeat(name: str, act: Callable[[httpx.Client, int], None], period_s: float) -> None:
        with served.client() as client:
            for number in itertools.count():
                started = time.monotonic()
                if started > ends:
                    return
                act(client, number)
                taken[name].append(time.monotonic() - started)
                time.sleep(max(0.0, period_s - taken[name][-1]))

    threads = [
        threading.Thread(target=repeat, args=("search", search, 0.5)),
        threading.Thread(target=repeat, args=("health", probe, 0.05)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def _index_on(served: Served, stop: threading.Event, corpus: Path, done: Counter[str]) -> None:
    """Keeps an indexing run going: new notes whenever one has ended. Counts those in which a note was embedded."""
    chance = random.Random(1)
    with served.client() as client:
        for number in itertools.count():
            if stop.is_set():
                return
            for note in range(40):
                text = "\n\n".join(" ".join(chance.choices(_WORDS, k=90)) for _ in range(8))
                (corpus / f"new-{number}-{note}.md").write_text(f"# Note {note} of {number}\n\n{text}\n")
            job, embedding = client.post("/v1/index/sync", json={}).json(), False
            while not stop.is_set() and job["state"] in ("queued", "running"):
                time.sleep(0.2)
                job = client.get(f"/v1/jobs/{job['id']}").json()
                embedding = embedding or bool(job["progress"])
            done["runs"] += embedding


def _generate_on(served: Served, stop: threading.Event, _: Path, done: Counter[str]) -> None:
    """Keeps the language model writing: one question after another, none asked before. Counts its drafts."""
    with served.client() as client, suppress(httpx.HTTPError):
        for number, question in enumerate(itertools.cycle(questions())):
            if stop.is_set():
                return
            answer = client.post("/v1/ask", json={"question": f"{question} ({number})"}).raise_for_status().json()
            done["drafts"] += answer["mode"] == "generated" or "tokens" in answer["usage"]


def _at(seconds: Sequence[float], share: float) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))]
