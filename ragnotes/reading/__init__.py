"""From the bytes of a file to a Document, and from a Document to its chunks."""
