"""How good the answers are, measured and written down: `python -m benchmarks.quality --data DIR`."""
