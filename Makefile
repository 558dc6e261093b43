# qbench: `make help` lists the targets.
PYTHON ?= python3.11
VENV   ?= .venv
OUT    ?= out/demo

BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The pins were resolved for Python 3.11; other versions resolve from pyproject.toml.
PINS   := $(shell $(PYTHON) -c 'import sys; print("-c constraints.txt" if sys.version_info[:2] == (3, 11) else "")' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint type bench docs clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(VENV)/.dev ## Make the virtual environment with everything that development needs

demo: $(VENV)/.user ## Train, export, attack, replay on every int8 runtime here, report (under 3 minutes)
	$(BIN)/qbench train digits-cnn --data digits --out $(OUT)/trained
	$(BIN)/qbench export $(OUT)/trained --data digits --out $(OUT)/bundle
	$(BIN)/qbench attack $(OUT)/bundle --data digits --attack fgsm --eps 4/255,8/255,16/255,32/255 --out $(OUT)/fgsm
	$(BIN)/qbench attack $(OUT)/bundle --data digits --attack pgd --eps 4/255,8/255,16/255,32/255 --out $(OUT)/pgd
	$(BIN)/qbench replay $(OUT)/bundle $(OUT)/fgsm --out $(OUT)/replay-fgsm
	$(BIN)/qbench replay $(OUT)/bundle $(OUT)/pgd --out $(OUT)/replay-pgd
	$(BIN)/qbench report $(OUT)/replay-fgsm $(OUT)/replay-pgd --out $(OUT)/report

test: $(VENV)/.dev ## Lint, type-check, and run the whole test suite
	$(MAKE) --no-print-directory lint type
	$(BIN)/python -m pytest

lint: $(VENV)/.dev ## Check style, formatting and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

type: $(VENV)/.dev ## Check types
	$(BIN)/mypy

bench: $(VENV)/.dev ## Print speeds as ratios against named rivals and floors
	$(BIN)/python benchmarks/attacks.py
	$(BIN)/python benchmarks/lifted.py
	$(BIN)/python benchmarks/replay.py
	$(BIN)/python benchmarks/link.py

docs: $(VENV)/.dev ## Write the generated parts of docs/ again
	$(BIN)/python docs/generate.py

clean: ## Remove the virtual environment and the demo's results
	rm -rf $(VENV) $(OUT)

$(VENV)/.user: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "qbench needs Python 3.10 to 3.13; name one with: make PYTHON=python3.12"; exit 3; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv: on Debian, apt install python3-venv"; exit 3; }
	@echo "installing qbench and its dependencies into $(VENV)"
	$(PIP) install $(PINS) -e .
	@$(PIP) install $(PINS) -e '.[tflm]' || echo "TFLite Micro has no wheel for this machine: going on without it"
	@touch $@

$(VENV)/.dev: $(VENV)/.user
	$(PIP) install $(PINS) -e '.[dev,rivals]'
	@touch $@
