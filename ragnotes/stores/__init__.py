"""Stores: text, full text, metadata, vectors and per-file status together."""
