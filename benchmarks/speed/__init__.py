"""How fast it is, beside what others take and what the machine can do."""
