#!/usr/bin/env bash
# Deletes what up.sh created: the cluster, the provider and its load balancers. Keeps the images.
set -euo pipefail

cluster=tensorgate
docker rm --force "$cluster-cloud-provider" >/dev/null 2>&1 || true
docker ps --all --quiet --filter "label=io.x-k8s.cloud-provider-kind.cluster=$cluster" | while read -r container; do
  docker rm --force "$container" >/dev/null
done
kind delete cluster --name "$cluster"
