#!/bin/sh
# Build dbt's documentation site of the packaged project in target/docs.
#
# Usage: sh docs/build.sh, with dbt on the PATH (`make docs` does that).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
project="$root/src/planalign/dbt"
site="$root/target/docs"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$site"
# The profile writes results.duckdb into the working folder. A build first, so
# that the catalogue knows every table and its columns.
cd "$work"
run() {
    DBT_SEND_ANONYMOUS_USAGE_STATS=false dbt "$@" --quiet \
        --project-dir "$project" --profiles-dir "$project" \
        --target-path "$work/target" --log-path "$work/logs"
}
run build
run docs generate --static
for file in index.html catalog.json manifest.json static_index.html; do
    cp "$work/target/$file" "$site/$file"
done
echo "Wrote $site/static_index.html"
