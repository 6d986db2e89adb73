#!/bin/sh
# Makes rule files of Prometheus out of the PrometheusRules in a folder: rule-files.sh FOLDER TARGET. Their spec is a rule file.
# DRIFT_WINDOW is the window of skew and drift: docs/drift.md.
set -eu
mkdir -p "$2"
for rules in $(grep -l '^kind: PrometheusRule$' "$1"/*.yaml); do
  sed "1,/^spec:\$/d; s/^  //; s/60m/${DRIFT_WINDOW:-60m}/" "$rules" > "$2/$(basename "$rules" .yaml).rules.yaml"
done
