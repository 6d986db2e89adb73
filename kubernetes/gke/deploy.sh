#!/usr/bin/env bash
# From a GKE cluster to a curl through its load balancer: builds and pushes the images, applies the overlay with them,
# waits. Every step may be repeated. README.md beside this file says what the cluster needs.
#
#   PROJECT=my-project CLUSTER=my-cluster kubernetes/gke/deploy.sh
#
# REGION   where the cluster is, a region or a zone (found by its name)
# TAG      of the images (the commit); a tag that the registry has is deployed without a build, so an older one goes back
# DOMAIN   a name of yours for the managed certificate (without one: plain HTTP)
# OVERLAY  what to apply (kubernetes/gke): an overlay of yours on top of it adds components
set -euo pipefail

fail() {
  echo "$1" >&2
  exit 1
}

cd "$(dirname "$0")/../.."
for tool in gcloud gke-gcloud-auth-plugin kubectl docker; do
  command -v "$tool" >/dev/null || fail "$tool is needed and not installed"
done
: "${PROJECT:?is the Google Cloud project: make deploy-gke PROJECT=my-project CLUSTER=my-cluster}"
: "${CLUSTER:?is the name of the GKE cluster: make deploy-gke PROJECT=my-project CLUSTER=my-cluster}"
gcloud() { command gcloud --project "$PROJECT" --quiet "$@"; }

location=${REGION:-$(gcloud container clusters list --filter "name=$CLUSTER" --format 'value(location)')}
[ -n "$location" ] || fail "project $PROJECT has no cluster $CLUSTER"
[ "$(wc -w <<<"$location")" -eq 1 ] || fail "there are several clusters $CLUSTER: set REGION to one of ${location//$'\n'/, }"
# Images lie in the region, also of a cluster in one zone.
region=${location%-[a-z]}
host=$region-docker.pkg.dev
registry=$host/$PROJECT/tensorgate
# Work that is not committed gets a tag of its own, or pods would keep what they pulled under the commit's.
tag=${TAG:-$(git describe --always --dirty="-$(date +%Y%m%d%H%M%S)")}

gcloud artifacts repositories describe tensorgate --location "$region" >/dev/null 2>&1 ||
  gcloud artifacts repositories create tensorgate --location "$region" --repository-format docker
gcloud auth configure-docker "$host"

# Usage: publish NAME CONTEXT DOCKERFILE
publish() {
  local image=$registry/$1:$tag
  if gcloud artifacts docker images describe "$image" >/dev/null 2>&1; then
    echo "$image is there already"
    return
  fi
  # GKE's ordinary nodes, whatever the machine that builds.
  docker build --platform linux/amd64 --tag "$image" --file "$3" "$2"
  docker push "$image"
}
publish gateway . gateway/Dockerfile
publish tf-serving serving serving/Dockerfile

gcloud compute addresses describe tensorgate --global >/dev/null 2>&1 || gcloud compute addresses create tensorgate --global
address=$(gcloud compute addresses describe tensorgate --global --format 'value(address)')

# An overlay on top of the overlay, beside it because kustomize takes relative paths only. kubectl gets a configuration of
# its own, so that the current context of whoever calls stays what it is.
overlay=$(mktemp -d kubernetes/.deploy-gke-XXXXXX)
trap 'rm -rf "$overlay"' EXIT
export KUBECONFIG=$PWD/$overlay/kubeconfig
gcloud container clusters get-credentials "$CLUSTER" --location "$location"

cat >"$overlay/kustomization.yaml" <<OVERLAY
namespace: tensorgate
resources: [../../${OVERLAY:-kubernetes/gke}]
patches:
  - target: { kind: Deployment, name: gateway }
    patch: '- { op: replace, path: /spec/template/spec/containers/0/image, value: $registry/gateway:$tag }'
  - target: { kind: Deployment, name: tf-serving }
    patch: '- { op: replace, path: /spec/template/spec/containers/0/image, value: $registry/tf-serving:$tag }'
OVERLAY
if [ -n "${DOMAIN:-}" ]; then
  cat >>"$overlay/kustomization.yaml" <<OVERLAY
  - target: { kind: ManagedCertificate }
    patch: '- { op: replace, path: /spec/domains/0, value: $DOMAIN }'
OVERLAY
elif kubectl kustomize "$overlay" | grep 'tensorgate\.example\.com' >/dev/null; then
  # The certificate's domain is still nobody's.
  echo 'components: [../gke/http-only]' >>"$overlay/kustomization.yaml"
fi
kubectl apply --kustomize "$overlay"

TIMEOUT=900 kubernetes/rollout.sh

# 200 from the gateway, or 301 where plain HTTP is sent on to HTTPS; before, nothing or a page of Google's.
ask() { curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "http://$address/health/ready" || true; }
echo "Waiting until Google's load balancer answers at $address, which takes some minutes the first time"
deadline=$((SECONDS + 900))
until code=$(ask) && [[ $code =~ ^(200|301)$ ]]; do
  if [ "$SECONDS" -gt "$deadline" ]; then
    kubectl --namespace tensorgate get events --field-selector type=Warning >&2
    fail "http://$address does not answer after 15 minutes (last status: $code)"
  fi
  sleep 10
done

url=http://$address
if [ "$code" = 301 ]; then
  url=https://${DOMAIN:-DOMAIN}
  printf '\nThe certificate becomes active within the hour after the DNS record of its domain leads to %s:\n\n' "$address"
  kubectl --namespace tensorgate get managedcertificates --ignore-not-found
fi
examples=(serving/models/clothing-model/parity/*.jpg)
printf '\nReady. Try:\n\n  curl %s/predict -F file=@%s\n\n' "$url" "${examples[0]}"
