# Every target sets up what it needs; `make demo` and `make test` are all a newcomer types.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check lint bench docs lock clean

# The lock file decides what is installed; a changed lock rebuilds the environment.
$(READY): requirements.lock requirements-other-duckdb.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "planalign needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	# The other supported major version of DuckDB, for the tests that compare the two.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --target .venv/other-duckdb -r requirements-other-duckdb.lock
	@touch $@

# A realistic company of 10,000 employees, five years, two scenarios.
demo: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar src/planalign/dbt

check: lint test

bench: $(READY)
	$(BIN)/planalign bench

# The project's dbt documentation site, in target/docs.
docs: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh docs/build.sh

# Resolve the newest versions that fit pyproject.toml. The file names no host.
lock:
	uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes \
	  --no-header --python-version 3.11 --upgrade -o requirements.lock
	echo 'duckdb<2' | uv pip compile - --universal --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --upgrade -o requirements-other-duckdb.lock

clean:
	rm -rf .venv target demo
