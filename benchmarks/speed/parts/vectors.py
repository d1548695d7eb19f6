"""Whether faster vectors are as good as the reference: how near they are, and what is found by them."""

from __future__ import annotations

from benchmarks.speed.engines import running
from benchmarks.speed.figures import Figure, Result, Table
from benchmarks.speed.inputs import notes_in, sample_of
from benchmarks.speed.plan import Plan, say

__all__ = ["measure"]

CHARACTERS = 800
LOST = 0.003


def measure(plan: Plan) -> Result:
    """Cosines over all passages of scifact and over pieces of the vaults, and nDCG@10 on scifact, both ways."""
    notes = sample_of(plan.inputs.vaults, max(plan.samples), plan.work / "notes")
    read = " ".join(" ".join(note.read_text("utf-8", errors="replace").split()) for note in notes_in(notes))
    texts = [read[start : start + CHARACTERS] for start in range(0, len(read), CHARACTERS)][: plan.embedded]
    with running("reference") as reference:
        near = {"pieces of the vaults": reference.do("cosines", texts=texts).result}
        say(f"vectors: {near}")
        found = reference.do("compare", benchmark=str(plan.inputs.scifact), work=str(plan.work / "vectors")).result
    near["passages of scifact"] = found["cosine"]
    passages = sum(each["passages"] for each in near.values())
    mean = sum(each["mean"] * each["passages"] for each in near.values()) / passages
    worst = min(each["worst"] for each in near.values())
    figures = [
        Figure("mean cosine", f"{mean:.5f} ({passages:,.0f} texts)", mean >= 0.995),
        Figure("worst cosine", f"{worst:.5f} ({passages:,.0f} texts)", worst >= 0.98),
    ]
    for way in ("dense", "fused"):
        own, theirs = found["ragnotes"][way], found["reference"][way]
        figures.append(Figure(f"{way} nDCG", f"{own:.4f} against {theirs:.4f}", theirs - own <= LOST))
    rows = [
        (name, f"{each['passages']:,.0f}", f"{each['mean']:.6f}", f"{each['worst']:.6f}") for name, each in near.items()
    ]
    note = "The reference is `encode` of sentence-transformers with its defaults, in fp32."
    return Result(
        "vectors",
        figures,
        [Table("Vectors beside the reference", ("texts", "number", "mean cosine", "worst"), rows, note)],
    )
