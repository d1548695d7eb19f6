"""From a question to hits, evidence, a draft, and a checked answer."""
