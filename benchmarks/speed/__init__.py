"""How fast ragnotes is, beside its peers and the limits of the machine: `make bench`."""
