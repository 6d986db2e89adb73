#!/usr/bin/env bash
# Waits until the Ingress has an address and prints a curl command.
set -euo pipefail
cd "$(dirname "$0")/../.."

deadline=$((SECONDS + 60))
until address=$(kubectl --namespace tensorgate get ingress gateway --output \
  'jsonpath={.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}') && [ -n "$address" ]; do
  [ "$SECONDS" -lt "$deadline" ] || { echo 'the Ingress has no address: check that a controller for its class runs' >&2; exit 1; }
  sleep 1
done
examples=(serving/models/clothing-model/parity/*.jpg)
printf '\nReady. Try:\n\n  curl http://%s/predict -F file=@%s\n\n' "$address" "${examples[0]}"
