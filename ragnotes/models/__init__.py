"""Adapters to models: texts to unit vectors, prompts to text, and the tokens both read."""
