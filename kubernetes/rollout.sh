#!/usr/bin/env bash
# Waits until both Deployments are up and prints what it waits for. Fails with the message of a pod that cannot start.
# Settings: NAMESPACE (default: tensorgate) and TIMEOUT in seconds (default: 300).
set -euo pipefail

namespace=${NAMESPACE:-tensorgate}
deadline=$((SECONDS + ${TIMEOUT:-300}))
kubectl() { command kubectl --namespace "$namespace" "$@"; }

# Fail at once for these reasons. Not for CrashLoopBackOff: the server may be waiting for another one.
unrecoverable='ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName|CreateContainerConfigError|CreateContainerError|hostPath type check failed'

# Prints "POD REASON MESSAGE" for each pod that waits for something other than its probes.
waiting() {
  kubectl get pods --selector "app.kubernetes.io/name=$1" --output 'go-template={{range .items}}{{$pod := .metadata.name}}
    {{- range .status.containerStatuses}}{{with .state.waiting}}{{if ne .reason "ContainerCreating"}}{{$pod}} {{.reason}} {{.message}}
{{end}}{{end}}{{end}}
    {{- range .status.conditions}}{{if eq .reason "Unschedulable"}}{{$pod}} {{.reason}} {{.message}}
{{end}}{{end}}{{end}}'
}

# Prints "POD FailedMount MESSAGE" for each pod whose volumes cannot be mounted.
unmounted() {
  kubectl get pods --selector "app.kubernetes.io/name=$1" --output 'go-template={{range .items}}{{$pod := .metadata.name}}
    {{- range .status.containerStatuses}}{{with .state.waiting}}{{if eq .reason "ContainerCreating"}}{{$pod}}
{{end}}{{end}}{{end}}{{end}}' | sort -u | while read -r pod; do
    kubectl get events --field-selector "involvedObject.name=$pod,reason=FailedMount" \
      --output 'go-template={{range .items}}{{.involvedObject.name}} {{.reason}} {{.message}}
{{end}}' | tail -n 1
  done
}

fail() {
  echo "$1" >&2
  if [[ $1 == *'hostPath type check failed'* ]]; then
    echo 'The node has no folder of models. Run: kubectl apply -k kubernetes/kind, which takes the models in the images.' >&2
    echo 'make kind-up creates a cluster whose node has the folder.' >&2
  fi
  kubectl logs --selector "app.kubernetes.io/name=$2" --tail 10 --prefix --ignore-errors >&2 || true
  exit 1
}

for name in tf-serving gateway; do
  printed=
  until message=$(kubectl rollout status "deployment/$name" --watch=false) && [[ $message == *'successfully rolled out'* ]]; do
    reasons=$(waiting "$name" && unmounted "$name")
    [[ ! $reasons =~ $unrecoverable ]] || fail "$reasons" "$name"
    [ "$SECONDS" -lt "$deadline" ] || fail "$name is not up after ${TIMEOUT:-300} s: ${reasons:-$message}" "$name"
    if [ "$printed" != "$message$reasons" ]; then
      printed=$message$reasons
      echo "$message${reasons:+ ($reasons)}"
    fi
    sleep 1
  done
done
