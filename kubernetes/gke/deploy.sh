#!/usr/bin/env bash
# Deploys to a GKE cluster: builds and pushes the images, applies the overlay with them, waits, and prints a curl command for
# the load balancer. It can be run again. README.md in this folder lists what the cluster needs.
#
#   PROJECT=my-project CLUSTER=my-cluster kubernetes/gke/deploy.sh
#
# REGION   region or zone of the cluster (default: found by the cluster's name)
# TAG      tag of the images (default: the commit). A tag that the registry has is deployed without a build, for a rollback
# DOMAIN   domain of the managed certificate (default: none, plain HTTP)
# BUCKET   the Cloud Storage bucket of the models, for an overlay with the component bucket
# OVERLAY  the overlay to apply (default: kubernetes/gke), a folder in kubernetes. Your own on top of it can add components
set -euo pipefail

fail() {
  echo "$1" >&2
  exit 1
}

cd "$(dirname "$0")/../.."
for tool in gcloud gke-gcloud-auth-plugin kubectl docker; do
  command -v "$tool" >/dev/null || fail "$tool is not installed"
done
: "${PROJECT:?must be the Google Cloud project: make deploy-gke PROJECT=my-project CLUSTER=my-cluster}"
: "${CLUSTER:?must be the name of the GKE cluster: make deploy-gke PROJECT=my-project CLUSTER=my-cluster}"
gcloud() { command gcloud --project "$PROJECT" --quiet "$@"; }

location=${REGION:-$(gcloud container clusters list --filter "name=$CLUSTER" --format 'value(location)')}
[ -n "$location" ] || fail "project $PROJECT has no cluster $CLUSTER"
[ "$(wc -w <<<"$location")" -eq 1 ] || fail "several clusters are named $CLUSTER: set REGION to one of ${location//$'\n'/, }"
# Artifact Registry uses the region, also for a cluster in one zone.
region=${location%-[a-z]}
host=$region-docker.pkg.dev
registry=$host/$PROJECT/tensorgate
# Uncommitted changes get their own tag: pods would not pull an image again under a tag that they have.
tag=${TAG:-$(git describe --always --dirty="-$(date +%Y%m%d%H%M%S)")}

gcloud artifacts repositories describe tensorgate --location "$region" >/dev/null 2>&1 ||
  gcloud artifacts repositories create tensorgate --location "$region" --repository-format docker
gcloud auth configure-docker "$host"

# Usage: publish NAME CONTEXT DOCKERFILE
publish() {
  local image=$registry/$1:$tag
  if gcloud artifacts docker images describe "$image" >/dev/null 2>&1; then
    echo "$image is already in the registry"
    return
  fi
  # The platform of GKE's default nodes, independent of the build machine.
  docker build --platform linux/amd64 --tag "$image" --file "$3" "$2"
  docker push "$image"
}
publish gateway . gateway/Dockerfile
publish tf-serving serving serving/Dockerfile

gcloud compute addresses describe tensorgate --global >/dev/null 2>&1 || gcloud compute addresses create tensorgate --global
address=$(gcloud compute addresses describe tensorgate --global --format 'value(address)')

# Work on a copy: the settings of this deployment go into its files, and kubectl gets its own configuration, so that the
# caller's current context does not change.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
export KUBECONFIG=$copy/kubeconfig
gcloud container clusters get-credentials "$CLUSTER" --location "$location"

mkdir "$copy/serving"
cp -R kubernetes "$copy"
cp -R serving/models "$copy/serving"
setting() { sed -n "s/.* $1: '\{0,1\}\([^',} ]*\).*/\1/p" kubernetes/gke/settings.yaml; }
domain=${DOMAIN:-$(setting domain)}
"$copy/kubernetes/gke/settings.sh" "$registry" "$tag" "${domain:-none.invalid}" "${BUCKET:-$(setting bucket)}"
overlay=$copy/${OVERLAY:-kubernetes/gke}
if [ -z "$domain" ]; then
  # Plain HTTP.
  mkdir "$copy/kubernetes/http"
  cat >"$copy/kubernetes/http/kustomization.yaml" <<KUSTOMIZATION
namespace: tensorgate
resources: [../../${OVERLAY:-kubernetes/gke}]
components: [../gke/http-only]
KUSTOMIZATION
  overlay=$copy/kubernetes/http
fi
kubectl apply --kustomize "$overlay"

TIMEOUT=900 kubernetes/rollout.sh

# 200 from the gateway, or 301 if HTTP redirects to HTTPS. Before that: no response, or an error page of the load balancer.
ask() { curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "http://$address/health/ready" || true; }
echo "Waiting for the load balancer at $address; the first time takes some minutes"
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
  printf '\nThe certificate becomes active within an hour after the DNS record of its domain points to %s:\n\n' "$address"
  kubectl --namespace tensorgate get managedcertificates --ignore-not-found
fi
examples=(serving/models/clothing-model/parity/*.jpg)
printf '\nReady. Try:\n\n  curl %s/predict -F file=@%s\n\n' "$url" "${examples[0]}"
