# `make help` lists the targets. Each does all its own set-up on a fresh machine.
PYTHON ?= python3
BIN := .venv/bin
DEMO_BATCHES := 1800
DEMO_STEPS := 3000
EGL_PACKAGES := libegl1 libgl1 libopengl0 libgl1-mesa-dri

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(BIN)/.installed  ## create .venv, install dcign and its tools, and see to off-screen OpenGL (EGL)
	@$(BIN)/python -m render.context 2>/dev/null || $(MAKE) --no-print-directory egl

demo: setup  ## render 1,800 batches at 64 px, train `swap` and a plain VAE, evaluate both: results in demo/
	@$(MAKE) --no-print-directory demo/swap/evaluation.json demo/vae/evaluation.json
	@cp demo/faces/preview.png demo/faces.png
	@for picture in traversal inferred reconstruction relight; do \
	  for run in swap vae; do \
	    if [ -f demo/$$run/$$picture.png ]; then cp demo/$$run/$$picture.png demo/$$picture-$$run.png; fi; done; done
	@$(BIN)/python -m benchmarks.demo demo/swap demo/vae

test: setup  ## run the tests
	@$(BIN)/python -m pytest

check: setup  ## ruff, mypy --strict, import-linter, tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest

bench: setup  ## measure rendering: stock pyrender, raw OpenGL, our batch renderer, `dcign render` end to end
	@$(BIN)/python -m benchmarks.render

clean:  ## remove .venv and the demo
	rm -rf .venv demo

$(BIN)/.installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "dcign needs Python 3.11 or later; found $$($(PYTHON) --version): name another one, as in make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv 2>/dev/null || { $(MAKE) --no-print-directory apt PACKAGES=python3-venv && $(PYTHON) -m venv .venv; }
	@echo "Installing dcign and its tools into .venv (PyTorch is the bulk of it) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# The three rules below are the demo's steps: what is there is not made again, what was interrupted goes on.
demo/faces/dataset.json:
	$(BIN)/dcign render --batches $(DEMO_BATCHES) --size 64 --out demo/faces

demo/swap/evaluation.json: demo/faces/dataset.json
	$(BIN)/dcign train demo/faces --recipe swap --steps $(DEMO_STEPS) --out demo/swap $(if $(wildcard demo/swap),--resume)

demo/vae/evaluation.json: demo/faces/dataset.json
	$(BIN)/dcign train demo/faces --recipe vae --steps $(DEMO_STEPS) --out demo/vae $(if $(wildcard demo/vae),--resume)

.PHONY: egl apt
egl:
	@$(MAKE) --no-print-directory apt PACKAGES="$(EGL_PACKAGES)"
	@$(BIN)/python -m render.context

apt:
	@command -v apt-get >/dev/null || \
	  { echo "Missing here: $(PACKAGES) (Debian's names). Install what your system calls EGL and Mesa's drivers (Fedora: mesa-libEGL mesa-dri-drivers) and run make again."; exit 1; }
	@echo "Installing $(PACKAGES) ..."
	@sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $(PACKAGES) >/dev/null
