# `make help` lists the targets. Each target does its own set-up on a fresh machine.
PYTHON ?= python3
BIN := .venv/bin
EGL_PACKAGES := libegl1 libgl1 libopengl0 libgl1-mesa-dri
# One process per core, up to 8. A process runs whole files of tests, because the tests of a file share slow fixtures.
# tests/conftest.py puts the longest files first.
SPREAD := -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench docs clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(BIN)/.installed  ## create .venv, install dcign and its tools, and install off-screen OpenGL (EGL) if it is missing
	@$(BIN)/python -m dcign.render.gl.context 2>/dev/null || $(MAKE) --no-print-directory egl

demo: setup  ## turn a face with the network of the package, then render, train and evaluate within 10 minutes, into demo/
	@$(BIN)/python -m benchmarks.demo demo

test: setup  ## run the tests
	@$(BIN)/python -m pytest $(SPREAD)

check: setup  ## ruff, mypy --strict, import-linter (layers, no import cycles), vulture (dead code), tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/vulture
	@$(BIN)/python -m pytest $(SPREAD)

bench: setup  ## measure rendering: stock pyrender, raw OpenGL, our batch renderer, `dcign render` end to end
	@$(BIN)/python -m benchmarks.render

docs: setup  ## build the documentation site into site/: pages, notebooks, API reference, search without a network
	@$(BIN)/python docs/site/build.py site

clean:  ## remove .venv, the demo and the site
	rm -rf .venv demo site

$(BIN)/.installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "expected Python 3.11 or later, found $$($(PYTHON) --version): name another one, e.g. make setup PYTHON=python3.11."; exit 1; }
	@$(PYTHON) -m venv .venv 2>/dev/null || { $(MAKE) --no-print-directory apt PACKAGES=python3-venv && $(PYTHON) -m venv .venv; }
	@echo "Installing dcign and its tools into .venv (most of it is PyTorch) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

.PHONY: egl apt
egl:
	@$(MAKE) --no-print-directory apt PACKAGES="$(EGL_PACKAGES)"
	@$(BIN)/python -m dcign.render.gl.context

apt:
	@command -v apt-get >/dev/null || \
	  { echo "expected the packages $(PACKAGES) (Debian's names), found no apt-get: install EGL and Mesa's drivers with your system's package manager (Fedora: mesa-libEGL mesa-dri-drivers) and run make again."; exit 1; }
	@echo "Installing $(PACKAGES) ..."
	@sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $(PACKAGES) >/dev/null
