#!/usr/bin/env bash
# Creates a kind cluster that is ready for `kubectl apply -k kubernetes/kind`. Keeps what already exists.
set -euo pipefail
cd "$(dirname "$0")/../.."

cluster=tensorgate
metrics_server=https://github.com/kubernetes-sigs/metrics-server/releases/download/v0.8.0/components.yaml
# Ingress and LoadBalancer for kind, from the kind project; ingress-nginx is retired.
provider=registry.k8s.io/cloud-provider-kind/cloud-controller-manager:v0.10.0
images=(tensorgate/gateway tensorgate/tf-serving)

for program in docker kind kubectl; do
  command -v "$program" >/dev/null || { echo "$program is not installed, see docs/kubernetes.md" >&2; exit 1; }
done

# No grep --quiet in this file: it exits at the first match, and with pipefail the failed write of its input fails the script.
kind get clusters 2>/dev/null | grep --line-regexp "$cluster" >/dev/null ||
  kind create cluster --config kind-config.yaml --wait 2m
kubectl config use-context "kind-$cluster" >/dev/null

docker compose build
for image in "${images[@]}"; do docker tag "$image" "$image:local"; done
# Pods use a new image under the same tag only after a restart.
if kind load docker-image --name "$cluster" "${images[@]/%/:local}" 2>&1 | tee /dev/stderr | grep 'not yet present' >/dev/null; then
  kubectl --namespace tensorgate get deployment --output name --selector app.kubernetes.io/part-of=tensorgate |
    xargs --no-run-if-empty kubectl --namespace tensorgate rollout restart
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
