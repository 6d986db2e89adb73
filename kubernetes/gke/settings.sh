#!/usr/bin/env bash
# Writes settings.yaml, which the overlay needs before `kubectl apply -k kubernetes/gke`:
#
#   kubernetes/gke/settings.sh REGISTRY TAG DOMAIN [BUCKET]
#   kubernetes/gke/settings.sh europe-west1-docker.pkg.dev/my-project/tensorgate 1 photos.example.com
#
# REGISTRY  the Artifact Registry repository that has the images gateway and tf-serving
# TAG       the tag of both images
# DOMAIN    the domain of the managed certificate; its DNS record points to the address named `tensorgate`
# BUCKET    the Cloud Storage bucket of the component `bucket`
set -euo pipefail

if [ $# -lt 3 ]; then
  sed -n '2,10s/^#//p' "$0" >&2
  exit 2
fi
cat >"$(dirname "$0")/settings.yaml" <<SETTINGS
# Written by settings.sh. kustomization.yaml copies each value to its place. This object is not applied to the cluster. Its
# name is part of kustomize's error for a value that is missing.
apiVersion: v1
kind: ConfigMap
metadata:
  name: the settings that kubernetes/gke/settings.sh REGISTRY TAG DOMAIN BUCKET writes
  annotations: { config.kubernetes.io/local-config: 'true' }
data: { registry: '$1', tag: '$2', domain: '$3'${4:+, bucket: $4} }
SETTINGS
