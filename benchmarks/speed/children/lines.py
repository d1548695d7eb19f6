"""Orders in, replies out, one JSON object a line: how the measuring process speaks with those that it measures.

Only the standard library is imported: the peers' environment knows nothing else of ragnotes.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence

__all__ = ["answer_orders", "cpu_s", "timed_ms"]


def answer_orders(commands: Mapping[str, Callable[..., object]]) -> None:
    """Does what each line of stdin says, `{"do": name, …}`, and replies with the result, the seconds and CPU seconds.

    What libraries print goes to stderr, so that it is not taken for a reply.
    """
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        order = json.loads(line)
        do = commands[order.pop("do")]
        started, used = time.perf_counter(), cpu_s()
        try:
            reply: dict[str, object] = {"result": do(**order)}
        except Exception:
            reply = {"error": traceback.format_exc()}
        reply |= {"seconds": time.perf_counter() - started, "cpu_s": cpu_s() - used}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def cpu_s() -> float:
    """Processor seconds of this process and its ended children, of users and system."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)


def timed_ms(call: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Milliseconds of the call for each text, one after another."""
    taken = []
    for text in texts:
        started = time.perf_counter()
        call(text)
        taken.append((time.perf_counter() - started) * 1000)
    return taken
