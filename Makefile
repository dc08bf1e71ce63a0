# Every target sets up what it needs; `make demo` and `make test` are all a newcomer types.
PYTHON ?= python3
BIN := .venv/bin
LOCKED := .venv/.locked
READY := .venv/.ready
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo quick units test browser check lint audit bench soak fuzz docs site lock clean

# The lock file decides what is installed; a changed one rebuilds the environment.
# It is complete, so that nothing is left to resolve, which pip before 23.3 cannot do
# with hashes where a dependency names an extra.
$(LOCKED): requirements.lock requirements-other-duckdb.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "planalign needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv --clear .venv
	$(PIP) install --no-deps --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --require-hashes --target .venv/other-duckdb \
	  --requirement requirements-other-duckdb.lock
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# A realistic company of 10,000 employees, five years, four scenarios.
demo: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

# What most changes break, before they are committed; linters and tests beside each other.
quick: $(READY)
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint units

units: $(READY)
	DBT_SEND_ANONYMOUS_USAGE_STATS=false $(BIN)/dbt parse --quiet \
	  --project-dir src/planalign/dbt --profiles-dir src/planalign/dbt \
	  --target-path "$(CURDIR)/target/dbt" --log-path target/dbt
	$(BIN)/python -m pytest --quiet -n 2 --dist loadfile --no-loadscope-reorder \
	  tests/unit/cli tests/unit/config tests/unit/docs tests/unit/results

# In the order of the folders, the longest file before all (tests/conftest.py). Three at a
# time, so that two cores have work while one of them waits for a browser or a command.
test: $(READY) browser
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# The tests of report and dashboard drive Debian's Chromium.
browser:
	@command -v chromium >/dev/null || { \
	  [ "$$(id -u)" = 0 ] || { echo "The tests need chromium: install it, or run make as root." >&2; exit 2; }; \
	  apt-get update --quiet --quiet && \
	  DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends chromium; }

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar src/planalign/dbt

# Licences, hashes, what is installed, and known vulnerabilities of what is locked.
audit: $(READY)
	$(BIN)/python tools/audit.py

# Where the service of vulnerabilities cannot be reached, the audit says that it was
# not done, and the check goes on.
check: lint test
	$(BIN)/python tools/audit.py --if-reachable

# The short form; `planalign bench` alone measures everything, in half an hour.
bench: $(READY)
	$(BIN)/planalign bench startup scale seeds threads cache

# Stops commands at random instants, over 200 times, in about twenty minutes; then fits and
# backtests fifty companies, whose intervals hold what they promise, in about seven. Short
# forms of both are tests.
soak: $(READY)
	$(BIN)/python tests/reliability/soak.py
	$(BIN)/python benchmarks/intervals.py --companies 50 --employees 400 --seeds 60

# The property tests of input with thousands of inputs each, in about ten minutes.
fuzz: $(READY)
	$(BIN)/python tests/fuzz.py

# The project's dbt documentation site, in target/docs.
docs: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh docs/build.sh

# The pages as one site that works from disk, in target/site, dbt's documentation in it. The
# variable is of the theme, which would speak of its own plans.
site: docs
	MODELS=target/docs/static_index.html NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Wrote $(CURDIR)/target/site/index.html"

# Resolve the newest versions that fit pyproject.toml. The file names no host.
lock:
	uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes \
	  --no-header --python-version 3.11 --upgrade -o requirements.lock
	echo 'duckdb<2' | uv pip compile - --universal --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --upgrade -o requirements-other-duckdb.lock

clean:
	rm -rf .venv target demo
