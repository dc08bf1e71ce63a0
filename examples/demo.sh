#!/bin/sh
# Two headcount plans of a company of 10,000 employees, 2025 to 2029, in ./demo.
#
# Usage: sh examples/demo.sh, with planalign on the PATH (`make demo` does that).
set -eu

cd "$(dirname "$0")/.."
rm -rf demo
mkdir demo
cd demo

show() {
    printf '\n$ planalign %s\n' "$*" >&2
    planalign "$@"
}

cat > planalign.yaml <<'YAML'
census: census.parquet
simulation: {start_year: 2025, end_year: 2029, random_seed: 42}
scenarios:
  baseline: {}
  growth: {workforce: {target_growth_rate: 0.06}}
YAML

show census generate --employees 10000 --output census.parquet
show simulate --output run
show employee run H2025-000202 --scenario growth
# The same study again, compiled anew and on one thread, has the same bits.
show simulate --no-cache --threads 1 --output run-again > /dev/null
show verify run run-again
