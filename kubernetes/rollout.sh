#!/usr/bin/env bash
# Waits until both Deployments are up and prints what it waits for. Fails with the message of a pod that cannot start.
# Settings: NAMESPACE (default: tensorgate) and TIMEOUT in seconds (default: 300).
set -euo pipefail

namespace=${NAMESPACE:-tensorgate}
deadline=$((SECONDS + ${TIMEOUT:-300}))
kubectl() { command kubectl --namespace "$namespace" "$@"; }

# Fail at once for these reasons. Not for CrashLoopBackOff: the server may be waiting for another one.
unrecoverable='ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName|CreateContainerConfigError|CreateContainerError'

# Prints "POD REASON MESSAGE" for each pod that waits for something other than its probes.
waiting() {
  kubectl get pods --selector "app.kubernetes.io/name=$1" --output 'go-template={{range .items}}{{$pod := .metadata.name}}
    {{- range .status.containerStatuses}}{{with .state.waiting}}{{if ne .reason "ContainerCreating"}}{{$pod}} {{.reason}} {{.message}}
{{end}}{{end}}{{end}}
    {{- range .status.conditions}}{{if eq .reason "Unschedulable"}}{{$pod}} {{.reason}} {{.message}}
{{end}}{{end}}{{end}}'
}

fail() {
  echo "$1" >&2
  kubectl logs --selector "app.kubernetes.io/name=$2" --tail 10 --prefix --ignore-errors >&2 || true
  exit 1
}

for name in tf-serving gateway; do
  printed=
  until message=$(kubectl rollout status "deployment/$name" --watch=false) && [[ $message == *'successfully rolled out'* ]]; do
    reasons=$(waiting "$name")
    [[ ! $reasons =~ $unrecoverable ]] || fail "$reasons" "$name"
    [ "$SECONDS" -lt "$deadline" ] || fail "$name is not up after ${TIMEOUT:-300} s: ${reasons:-$message}" "$name"
    if [ "$printed" != "$message$reasons" ]; then
      printed=$message$reasons
      echo "$message${reasons:+ ($reasons)}"
    fi
    sleep 1
  done
done
