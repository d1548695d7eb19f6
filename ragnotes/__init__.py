"""Answers from a person's own notes, each sentence with the exact place that it rests on.

Importing this package loads no engine: torch, faiss and llama_cpp are imported by the one module that adapts each.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
