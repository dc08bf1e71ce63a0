#!/bin/sh
# Two headcount plans and three plan designs of a company of 10,000 employees, 2025 to
# 2029, in ./demo.
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
  match: {plan: {match: {formula: tiers, tiers: [{up_to: 0.06, rate: 0.5}]}}}
  automatic:
    plan:
      automatic_enrollment: {enabled: true, default_rate: 0.06}
      escalation: {enabled: true}
      match: {formula: qaca}
      vesting: {match: [0, 0, 1]}
YAML

show census generate --employees 10000 --output census.parquet
# The same study on one thread, to compare with.
show simulate --no-cache --threads 1 --output run-on-one-thread > /dev/null
show simulate --no-cache --output run > table.txt
show verify run run-on-one-thread
show compare run > comparison.txt
show employee run H2025-000202 --scenario growth
cat comparison.txt table.txt
