#!/usr/bin/env bash
# Waits until both Deployments are up and says what it waits for; fails with the words of the pod that cannot start.
# NAMESPACE (tensorgate) and TIMEOUT (300, in seconds) may be set.
set -euo pipefail

namespace=${NAMESPACE:-tensorgate}
deadline=$((SECONDS + ${TIMEOUT:-300}))
kubectl() { command kubectl --namespace "$namespace" "$@"; }

# Waiting does not help against these; CrashLoopBackOff may be a server that waits for another, and gets its time.
hopeless='ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName|CreateContainerConfigError|CreateContainerError'

# "POD REASON MESSAGE" for each pod of the newest revision that waits for something other than its probes.
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
  told=
  until message=$(kubectl rollout status "deployment/$name" --watch=false) && [[ $message == *'successfully rolled out'* ]]; do
    reasons=$(waiting "$name")
    [[ ! $reasons =~ $hopeless ]] || fail "$reasons" "$name"
    [ "$SECONDS" -lt "$deadline" ] || fail "$name is not up after ${TIMEOUT:-300} s: ${reasons:-$message}" "$name"
    if [ "$told" != "$message$reasons" ]; then
      told=$message$reasons
      echo "$message${reasons:+ ($reasons)}"
    fi
    sleep 1
  done
done
