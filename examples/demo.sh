#!/bin/sh
# A client's three workbooks become a fitted study; then two headcount plans and three plan
# designs of a company of 10,000 employees, 2025 to 2029, in ./demo.
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

# The year-end exports of an invented manufacturer: titles, totals, rehires, grades.
client=../examples/client
show census import $client/Census_2022.xlsx $client/Census_2023.xlsx $client/Census_2024.xlsx \
    --yes --answer active_with_termination_date=left --answer birth_date_missing=leave_out \
    --answer leave_pay=year_before --output client.parquet --page import.html
show fit client_2022.parquet client_2023.parquet client_2024.parquet --output client \
    --page experience.html > fitted.txt
show simulate --config client/planalign.yaml --output run-of-the-client

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
