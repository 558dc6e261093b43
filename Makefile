# qbench: `make help` lists the targets.
PYTHON ?= python3.11
VENV   ?= .venv
OUT    ?= out/demo
BOARD  ?= stm32f405
SECONDS_EACH ?= 30
WORKERS ?= 2
MODULE ?= *

BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The pins were resolved for Python 3.11; other versions resolve from pyproject.toml.
PINS   := $(shell $(PYTHON) -c 'import sys; print("-c constraints.txt" if sys.version_info[:2] == (3, 11) else "")' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup demo experiment attacked replay-emulated gate-emulated emulator test fuzz soak mutants lint type bench docs clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(VENV)/.dev ## Make the virtual environment with everything that development needs

demo: attacked emulator ## Train, export, attack, replay on every int8 runtime and an emulated board, report (3 minutes)
	$(BIN)/qbench replay $(OUT)/bundle $(OUT)/fgsm --out $(OUT)/replay-fgsm
	$(BIN)/qbench replay $(OUT)/bundle $(OUT)/pgd --out $(OUT)/replay-pgd
	@if $(CAN_EMULATE); then $(MAKE) --no-print-directory replay-emulated; else \
	  echo "going on without an emulated board: QEMU or the cross compiler for Arm is missing"; fi
	$(BIN)/qbench report $(OUT)/replay-fgsm $(OUT)/replay-pgd $$(ls -d $(OUT)/replay-$(BOARD) 2>/dev/null) --html --out $(OUT)/report

attacked: $(VENV)/.user
	$(BIN)/qbench train digits-cnn --data digits --out $(OUT)/trained
	$(BIN)/qbench export $(OUT)/trained --data digits --out $(OUT)/bundle
	$(BIN)/qbench attack $(OUT)/bundle --data digits --attack fgsm --eps 4/255,8/255,16/255,32/255 --out $(OUT)/fgsm
	$(BIN)/qbench attack $(OUT)/bundle --data digits --attack pgd --eps 4/255,8/255,16/255,32/255 --out $(OUT)/pgd

replay-emulated: attacked ## Replay the demo's attack on an emulated board: BOARD=stm32f405, mps2-an386, mps2-an500, mps3-an547
	$(BIN)/qbench replay $(OUT)/bundle $(OUT)/pgd --runtime float --device qemu:$(BOARD) --out $(OUT)/replay-$(BOARD)

experiment: $(VENV)/.user ## Run experiments/digits.toml: networks, attacks, runtimes, analyses and one page (3 minutes)
	$(BIN)/qbench run experiments/digits.toml --out $(OUT)/experiment

gate-emulated: replay-emulated ## Gate the demo's network on an emulated board, as a release would be: BOARD=stm32f405
	$(BIN)/qbench check $(OUT)/replay-$(BOARD) --min-robust-accuracy 90% --at 4/255 --max-clean-drop 2pp \
	  --max-disagreement 1.5% --junit $(OUT)/gate.xml

CAN_EMULATE = command -v qemu-system-arm >/dev/null && command -v arm-none-eabi-gcc >/dev/null
SUDO        = $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)

# Without apt or the right to use it, there is nothing to do here, and the demo says so.
emulator: ## Install QEMU and the cross compiler for Arm, where apt is there and may be used
	@$(CAN_EMULATE) || ! command -v apt-get >/dev/null || ! $(SUDO) true 2>/dev/null || { \
	  echo "installing QEMU and the cross compiler for Arm"; $(SUDO) apt-get update -qq; \
	  $(SUDO) apt-get install -y -qq --no-install-recommends qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi; \
	} >/dev/null || true

# A worker takes a file's tests together, so that what they share is made once; 1.2 GB of memory a worker.
test: $(VENV)/.dev ## Lint, type-check, and run the whole test suite: WORKERS=2
	$(MAKE) --no-print-directory lint type
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

fuzz: $(VENV)/.dev ## Fuzz the firmware's model reader and frame decoder: SECONDS_EACH=30
	QBENCH_FUZZ_SECONDS=$(SECONDS_EACH) $(BIN)/python -m pytest tests/fuzz -q -rP

# Mutated inputs and killed commands in numbers that the suite has no time for.
soak: $(VENV)/.dev ## Mutate files of each format 10,000 times, kill every stage 20 times, fuzz for long
	QBENCH_MUTATIONS=10000 QBENCH_KILLS=20 $(BIN)/python -m pytest tests/mutations tests/unit/experiment/test_kills.py tests/e2e/test_interrupted.py -q -rP
	$(MAKE) --no-print-directory fuzz SECONDS_EACH=1800

# Takes half an hour; results are kept in mutants/, so that a second call runs what has changed since.
mutants: $(VENV)/.dev ## Change the code of the modules in docs/mutants.md line by line and list what no test notices: MODULE='*'
	$(BIN)/mutmut run --max-children $(WORKERS) '$(MODULE)'
	$(BIN)/mutmut results

lint: $(VENV)/.dev ## Check style, formatting and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

type: $(VENV)/.dev ## Check types
	$(BIN)/mypy

bench: $(VENV)/.dev ## Print speeds as ratios against named rivals and floors
	$(BIN)/python benchmarks/attacks.py
	$(BIN)/python benchmarks/queries.py
	$(BIN)/python benchmarks/lifted.py
	$(BIN)/python benchmarks/replay.py
	$(BIN)/python benchmarks/link.py
	$(BIN)/python benchmarks/experiment.py
	$(BIN)/python benchmarks/instructions.py

docs: $(VENV)/.dev ## Write the generated parts of docs/ again
	$(BIN)/python docs/generate.py

clean: ## Remove the virtual environment and the demo's results
	rm -rf $(VENV) $(OUT) mutants

$(VENV)/.user: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "qbench needs Python 3.10 to 3.13; name one with: make PYTHON=python3.12"; exit 3; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv: on Debian, apt install python3-venv"; exit 3; }
	@echo "installing qbench and its dependencies into $(VENV)"
	$(PIP) install $(PINS) -e .
	@$(PIP) install $(PINS) -e '.[tflm]' || echo "TFLite Micro has no wheel for this machine: going on without it"
	@$(PIP) install $(PINS) -e '.[tflite-runtime]' || echo "tflite-runtime has no wheel for this machine: going on without it"
	@touch $@

$(VENV)/.dev: $(VENV)/.user
	$(PIP) install $(PINS) -e '.[dev,rivals]'
	@touch $@
