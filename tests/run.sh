#!/usr/bin/env bash
# Runs the given test files, and beside them the tests of training: both wait much of their time. The output of training follows
# at the end. Fails if either fails.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
make --no-print-directory test-training >"$log" 2>&1 &
training=$!
trap 'kill "$training" 2>/dev/null || true; rm -f "$log"' EXIT

result=0
node tests/run.ts "$@" || result=$?
wait "$training" || result=$?
cat "$log"
exit "$result"
