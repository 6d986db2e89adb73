#!/usr/bin/env bash
# Runs `tensorgate models` on the models volume of a cluster, in a pod that reaches every server:
#
#   kubernetes/models.sh push FOLDER --model clothing-model --wait 10m
#   kubernetes/models.sh rollback clothing-model --wait 10m
#   kubernetes/models.sh list
#   kubernetes/models.sh canary clothing-model --version 4 --share 10%
#   kubernetes/models.sh verdict clothing-model
#
# NAMESPACE (default: tensorgate) and kubectl's settings select the cluster. The exit code is that of `tensorgate models`.
set -euo pipefail

namespace=${NAMESPACE:-tensorgate}
pod=models-command-$$
kubectl() { command kubectl --namespace "$namespace" "$@"; }

# Use the image of a running gateway: a rollout may be stuck on an image that does not start. Run as the owner of the volume,
# who may write to it. Pod Security allows every user but root.
read -r gateway image < <(kubectl get pods --selector app.kubernetes.io/name=gateway --field-selector status.phase=Running \
  --output 'jsonpath={range .items[*]}{.metadata.name} {.spec.containers[0].image}{"\n"}{end}') || {
  echo "no gateway is running in namespace $namespace" >&2
  exit 1
}
if ! kubectl get persistentvolumeclaim models >/dev/null 2>&1; then
  echo "the models are in the images here. Versions can be pushed to a volume: kubectl apply -k kubernetes/kind-models for the" \
    "cluster of make kind-up, or kubernetes/components/models-volume in an overlay of yours" >&2
  exit 1
fi
owner=$(kubectl exec "$gateway" --container gateway -- stat --format %u serving/models)
if [ "$owner" = 0 ]; then
  echo "the models volume belongs to root, and no pod may run as root: chown it to another user, such as 65532" >&2
  exit 1
fi

trap 'kubectl delete pod "$pod" --now --ignore-not-found --wait=false >/dev/null' EXIT
kubectl create --filename - >/dev/null <<POD
apiVersion: v1
kind: Pod
metadata:
  name: $pod
  labels: { app.kubernetes.io/name: models-command, app.kubernetes.io/part-of: tensorgate }
  # Needed if the volume is a bucket; other volumes ignore it.
  annotations: { gke-gcsfuse/volumes: 'true' }
spec:
  restartPolicy: Never
  activeDeadlineSeconds: 7200
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: { runAsNonRoot: true, runAsUser: $owner, seccompProfile: { type: RuntimeDefault } }
  containers:
    - name: models-command
      image: $image
      command: [sleep, infinity]
      env:
        - { name: MODELS, value: /models }
        - { name: TF_SERVING_HOST, value: 'dns:///tf-serving:8500' }
      resources: { requests: { cpu: 100m, memory: 128Mi }, limits: { memory: 1Gi } }
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
      volumeMounts:
        - { name: models, mountPath: /models }
        - { name: candidate, mountPath: /candidate }
  volumes:
    - { name: models, persistentVolumeClaim: { claimName: models } }
    - { name: candidate, emptyDir: {} }
POD
kubectl wait --for=condition=Ready "pod/$pod" --timeout=2m >/dev/null || {
  kubectl get events --field-selector "involvedObject.name=$pod" --output 'custom-columns=:message' --no-headers >&2
  exit 1
}

if [ "${1:-}" = push ] && [ -d "${2:-}" ]; then
  # Push also reads model.yaml, the parity samples, the baseline and the evaluation beside the candidate.
  version=$(cd "$2" && pwd)
  files=("$(basename "$version")")
  for name in model.yaml parity baseline evaluation; do
    if [ -e "$version/../$name" ]; then files+=("$name"); fi
  done
  # COPYFILE_DISABLE: no ._ files of macOS.
  COPYFILE_DISABLE=1 tar --create --directory "$version/.." "${files[@]}" |
    kubectl exec --stdin "$pod" -- tar --extract --no-same-owner --directory /candidate
  shift 2
  set -- push "/candidate/$(basename "$version")" "$@"
fi
# The verdict is about the requests of all gateways, unless the command says where the metrics are.
case "$*" in
  verdict*--metrics* | verdict*--prometheus*) ;;
  verdict*)
    for address in $(kubectl get pods --selector app.kubernetes.io/name=gateway --field-selector status.phase=Running \
      --output 'jsonpath={.items[*].status.podIP}'); do
      case "$address" in *:*) address="[$address]" ;; esac
      set -- "$@" --metrics "http://$address:9697/metrics"
    done
    ;;
esac
kubectl exec "$pod" -- node gateway/cli/main.ts models "$@"
