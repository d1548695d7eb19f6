"""Settings in, built objects out: the only place that chooses implementations."""
