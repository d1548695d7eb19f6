"""What ragnotes survives: faults, load and abuse, each a function that returns its figures."""
