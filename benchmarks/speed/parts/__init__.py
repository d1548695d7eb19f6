"""The parts of the benchmark: each measures some of the aims, and can be run apart from the others."""
