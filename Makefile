.DEFAULT_GOAL := help
.PHONY: help setup demo test lint protos check-slow clean

PYTHON ?= python3
BIN := .venv/bin

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.installed .venv/.models  ## install into .venv and bring the models

# A machine without a GPU asks for torch's CPU build first, which some indexes carry; the plain pin is the same code and,
# on Linux, brings CUDA along.
.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	@command -v nvidia-smi >/dev/null 2>&1 || $(BIN)/pip install --quiet "torch==2.13.0+cpu" 2>/dev/null \
		|| echo "No CPU build of torch in this index: the plain one follows (see README, Installing)."
	$(BIN)/pip install --quiet --editable .
	@touch $@

.venv/.developer: .venv/.installed
	$(BIN)/pip install --quiet --editable ".[dev,evaluation]"
	@touch $@

.venv/.models: .venv/.installed shared/models/catalogue.py
	$(BIN)/deepsc models pull
	@touch $@

demo: setup  ## send a face and a sentence over a noisy channel; pictures and report in out/demo
	$(BIN)/deepsc demo --out out/demo

# One thread for each process: the tests start many at once.
test: setup .venv/.developer  ## run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow"

.venv/.extras: .venv/.developer
	$(BIN)/pip install --quiet --editable ".[dev,evaluation,oracle]"
	@touch $@

check-slow: setup .venv/.extras  ## run the long checks too (training smoke, full evaluation)
	$(BIN)/python -m pytest -m slow --timeout 1800

lint: .venv/.developer  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

protos: .venv/.developer  ## regenerate the committed gRPC stubs
	$(BIN)/python -m grpc_tools.protoc -I. --plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy \
		--plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
		--python_out=. --grpc_python_out=. --mypy_out=. --mypy_grpc_out=. protos/*.proto

clean:  ## remove the environment and what the demo left
	rm -rf .venv out
