"""The HTTP edge: a FastAPI application over objects that are already built."""
