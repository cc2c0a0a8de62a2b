# One command each; the first one that needs it makes .venv from the lock files (Python 3.11 and make suffice).

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
ARGS ?=

.PHONY: run test bench check lock migration clean
.DEFAULT_GOAL := run

run: .venv/runtime.stamp
	@exec $(BIN)/python run.py serve $(ARGS)

test: .venv/dev.stamp
	@bash tests/tools/debian_packages.sh
	@$(BIN)/python run.py test $(ARGS)

bench: .venv/dev.stamp
	@$(BIN)/python run.py bench $(ARGS)

check: .venv/dev.stamp
	@$(BIN)/python run.py check $(ARGS)

.venv/runtime.stamp: requirements.lock
	@$(MAKE) --no-print-directory .venv/bin/python
	@echo "正在安装运行所需的依赖（仅首次或依赖变化时）…"
	@$(PIP) -r requirements.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/runtime.stamp
	@echo "正在安装测试所需的依赖（仅首次或依赖变化时）…"
	@$(PIP) -r requirements-dev.lock
	@touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "找不到 Python：请先安装 Python 3.11（apt-get install python3 python3-venv）"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更新的版本"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "无法创建虚拟环境：请先安装 python3-venv（apt-get install python3-venv）"; exit 1; }

# For developers only (needs uv): the lock files carry versions and hashes, no address.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet --custom-compile-command "make lock" -o requirements.lock
	uv pip compile pyproject.toml --group dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet --custom-compile-command "make lock" -o requirements-dev.lock

# make migration ARGS="customers get a birthday"
migration: .venv/dev.stamp
	@$(BIN)/python run.py migration "$(ARGS)"

clean:
	rm -rf var .venv
