#!/usr/bin/env bash
# Creates a kind cluster that is ready for `kubectl apply -k kubernetes/kind-models`. Keeps what already exists.
# SERVER=embedded builds the embedded model server in place of TF-Serving, which has no image for arm64.
set -euo pipefail
cd "$(dirname "$0")/../.."

cluster=tensorgate
metrics_server=https://github.com/kubernetes-sigs/metrics-server/releases/download/v0.8.0/components.yaml
# Ingress and LoadBalancer for kind, from the kind project; ingress-nginx is retired.
provider=registry.k8s.io/cloud-provider-kind/cloud-controller-manager:v0.10.0
images=(tensorgate/gateway:local tensorgate/tf-serving:local)

for program in docker kind kubectl; do
  command -v "$program" >/dev/null || { echo "$program is not installed, see docs/kubernetes.md" >&2; exit 1; }
done

# No grep --quiet in this file: it exits at the first match, and with pipefail the failed write of its input fails the script.
kind get clusters 2>/dev/null | grep --line-regexp "$cluster" >/dev/null ||
  kind create cluster --config kind-config.yaml --wait 2m
kubectl config use-context "kind-$cluster" >/dev/null

docker compose build
docker tag tensorgate/gateway tensorgate/gateway:local
# With SERVER=embedded the manifests' model server is the embedded one: it has the same ports, folder and metrics.
docker tag "tensorgate/${SERVER:-tf-serving}" tensorgate/tf-serving:local
# Pods use a new image under the same tag only after a restart.
if kind load docker-image --name "$cluster" "${images[@]}" 2>&1 | tee /dev/stderr | grep 'not yet present' >/dev/null; then
  kubectl --namespace tensorgate get deployment --output name --selector app.kubernetes.io/part-of=tensorgate |
    while read -r deployment; do kubectl --namespace tensorgate rollout restart "$deployment"; done
fi

if ! kubectl get apiservice v1beta1.metrics.k8s.io >/dev/null 2>&1; then
  kubectl apply --filename "$metrics_server"
  # kind's kubelets have self-signed certificates.
  kubectl --namespace kube-system patch deployment metrics-server --type json \
    --patch '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--kubelet-insecure-tls"}]'
fi

if [ -z "$(docker ps --quiet --filter "name=^$cluster-cloud-provider$")" ]; then
  docker rm --force "$cluster-cloud-provider" >/dev/null 2>&1 || true
  docker run --detach --name "$cluster-cloud-provider" --network kind --restart unless-stopped \
    --volume /var/run/docker.sock:/var/run/docker.sock "$provider" >/dev/null
fi
