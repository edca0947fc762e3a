# 需要 Python ≥ 3.11 和 make，别无其他 / needs Python ≥ 3.11 and make, nothing else.
#   make run [PORT=9000] [ITR_HOME="/somewhere else"]
#   make test   make check   make bench   make load

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python3.14,\
	$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null | grep True),$(name))))
RUN := .venv/bin/python -m
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUTF8 := 1
# 各进程共用编译结果 / compiled once for all processes, whatever the surroundings say
export PYTHONDONTWRITEBYTECODE :=

# 测量，单独运行 / measures, and is run by itself
ALONE := tests/api/transport/test_loop_lag.py

.PHONY: run test check bench load
.NOTPARALLEL:

run: .venv/run.stamp
	@exec $(RUN) cli demo

test: .venv/test.stamp
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/lint-imports
	$(RUN) pytest -n 3 --ignore=$(ALONE)
	TEST_SERVERS_OF_ITR=others $(RUN) pytest -n 3 tests/operations
	$(RUN) pytest $(ALONE)

check: .venv/test.stamp
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/lint-imports
	$(RUN) pytest -q tests/rules

bench: .venv/test.stamp
	$(RUN) bench

load: .venv/test.stamp
	$(RUN) bench.load

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo '需要 Python 3.11 或更新版本 / Python 3.11 or newer is needed' >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml constraints.txt | .venv/bin/pip
	@echo '正在安装到 .venv（约一分钟）/ installing into .venv (about a minute) …'
	$(RUN) pip install --quiet -e '.[embedded]' -c constraints.txt
	@touch $@

.venv/test.stamp: pyproject.toml constraints.txt | .venv/bin/pip
	@echo '正在安装到 .venv（约一分钟）/ installing into .venv (about a minute) …'
	$(RUN) pip install --quiet -e '.[embedded,test,tracing]' -c constraints.txt
	@touch $@ .venv/run.stamp
