# Everything a person runs. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# The code needs Node 24 (TypeScript is run as it is). Where the system's is older, the npm package `node` provides one,
# kept in the checkout and put first in PATH.
NODE_MAJOR := 24
SYSTEM_NODE := $(shell node --version 2>/dev/null | sed 's/^v//; s/\..*//')
ifeq ($(shell test "$(SYSTEM_NODE)" -ge $(NODE_MAJOR) 2>/dev/null && echo yes),yes)
NODE :=
else
NODE := .node/node_modules/node/bin/node
export PATH := $(CURDIR)/$(dir $(NODE)):$(PATH)
endif

# Tests against TensorFlow itself run where a model server for it lies beside the repository; it brings its own list of
# Python packages.
TENSORFLOW_SERVER := ../shared/lab/tfserving
ifneq ($(wildcard $(TENSORFLOW_SERVER)/requirements.txt),)
export TENSORGATE_TF_PYTHON ?= $(CURDIR)/.venv-tensorflow/bin/python
TENSORFLOW := $(if $(filter $(CURDIR)/%,$(TENSORGATE_TF_PYTHON)),.venv-tensorflow/.ready)
endif

# The Kubernetes manifests are checked where there is go to build the programs for it.
KUBERNETES_TOOLS := $(if $(shell command -v go),.kubernetes-tools/.ready)

SBOM ?= sbom.cdx.json
MODEL ?= clothing-model
DATA ?= data/clothing-dataset-small
WORK ?= serving/training/work
MODELS ?= serving/models
TRAIN ?=
TUNE ?=
PHOTOS ?= $(wildcard $(DATA)/test)
PIPELINE ?=
# TensorFlow says at every start which processor it was not built for.
TRAINING := cd serving && TF_CPP_MIN_LOG_LEVEL=2 ../.venv/bin/python

.PHONY: help
help: ## List what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 15

.PHONY: run
# As in the image: gateway/Dockerfile says why.
run: export NODE_OPTIONS ?= --max-semi-space-size=8
run: node_modules ## Start the gateway with its embedded model server; settings by environment: PORT=8080 make run
	@exec node gateway/cli/main.ts serve

.PHONY: test
test: lint $(TENSORFLOW) $(KUBERNETES_TOOLS) ## Check everything, then run all tests
	@node --test --test-concurrency=2 --test-timeout=300000 $(shell git ls-files -co --exclude-standard '*.test.ts')
	@$(MAKE) --no-print-directory test-training

.PHONY: lint
lint: node_modules ## Format and lint rules, types, unused code
	@npm run --silent lint
	@npm run --silent types
	@npm run --silent unused

.PHONY: format
format: node_modules ## Format the code
	@npm run --silent format

.PHONY: docs
docs: node_modules ## Write the tables of the documentation that come from code
	@node docs/write.ts

.PHONY: sbom
sbom: $(NODE) ## List the packages that the gateway is made of, as CycloneDX: make sbom SBOM=file
# From a lock without development: `npm sbom --omit dev` also leaves out what both need, grpc-js among others.
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; mkdir $$copy/tensorgate; \
	cp package.json package-lock.json .npmrc $$copy/tensorgate; \
	(cd $$copy/tensorgate && npm pkg delete devDependencies && npm install --package-lock-only --offline --silent >&2 && \
	npm sbom --sbom-format cyclonedx --sbom-type application --package-lock-only --silent) > "$(SBOM)"

.PHONY: fuzz
fuzz: node_modules ## Fuzz the parsers for an hour, then a million pictures: make fuzz FUZZ_SECONDS=300
	@npm run --silent fuzz
	@npm run --silent fuzz:images

.PHONY: bench
bench: node_modules .venv-bench/.ready ## Measure it all beside references in Python, into docs/performance.md: make bench PHOTOS=folder
	@node bench/report.ts .venv-bench/bin/python $(PHOTOS)

.PHONY: bench-quick
bench-quick: node_modules .venv-bench/.ready ## The same job beside the references in two minutes
	@node bench/job.ts .venv-bench/bin/python --quick $(if $(PHOTOS),--photos "$(PHOTOS)")

.PHONY: bench-decode
bench-decode: node_modules ## Measure what decoding in processes costs against threads
	@node bench/decode.ts

.PHONY: bench-resample
bench-resample: node_modules .venv-bench/.ready ## Measure resizing beside Pillow and numpy
	@node bench/resample.ts .venv-bench/bin/python

.PHONY: bench-start
bench-start: node_modules .venv-bench/.ready ## Measure the cold start beside the references
	@node bench/start.ts .venv-bench/bin/python

.PHONY: bench-batching
bench-batching: node_modules $(TENSORFLOW) ## Measure a full Xception with and without serving/batching.config
	@node bench/batching.ts

.PHONY: train
train: .venv/.ready ## Train, prove, judge and push a version; again after a kill: make train DATA=folder TRAIN="--max-minutes 60"
	@$(TRAINING) -m training --data "$(abspath $(DATA))" --work "$(abspath $(WORK))" --models "$(abspath $(MODELS))" $(TRAIN)
	@$(MAKE) --no-print-directory push

.PHONY: push
push: .venv/.ready node_modules ## Publish the candidate that training left in WORK, with its card
	@version=$$(node gateway/cli/main.ts models push "$(WORK)/candidate/clothing-model/1" --model clothing-model --models "$(MODELS)" --json \
	  | node --print 'JSON.parse(require("node:fs").readFileSync(0, "utf8")).version'); \
	folder="$(abspath $(MODELS))/clothing-model"; $(TRAINING) -m training.card "$$folder" $$version; \
	../.venv/bin/python -m training.lineage "$$folder" $$version --pushed --work "$(abspath $(WORK))"

.PHONY: tune
tune: .venv/.ready ## Search for better settings: make tune DATA=folder TUNE="--trials 30 --jobs 2"
	@$(TRAINING) -m training.tune --data "$(abspath $(DATA))" --work "$(abspath $(WORK))" $(TUNE)

.PHONY: mlflow-ui
mlflow-ui: .venv/.ready ## Look at the runs recorded in WORK: http://127.0.0.1:5000
	@MLFLOW_DISABLE_TELEMETRY=true .venv/bin/mlflow ui --backend-store-uri "sqlite:///$(abspath $(WORK))/mlflow.db"

.PHONY: lineage
lineage: .venv/.ready ## What made a served version: make lineage MODEL=clothing-model VERSION=2
	@$(TRAINING) -m training.lineage "$(abspath $(MODELS))/$(MODEL)" $(VERSION) --work "$(abspath $(WORK))"

.PHONY: convert
convert: .venv/.ready ## Serve a model trained elsewhere: make convert FROM=model.h5 NAME=my-model CLASSES=a,b,c SCALE=tf
	@$(TRAINING) -m training.convert --from "$(abspath $(FROM))" --name "$(NAME)" --out "$(abspath $(MODELS))" \
	  $(if $(CLASSES),--classes "$(CLASSES)") $(if $(SCALE),--scale $(SCALE)) \
	  $(if $(MODEL_YAML),--model-yaml "$(abspath $(MODEL_YAML))")

.PHONY: tabular
tabular: .venv/.ready ## Write the models of tables into serving/models
	@$(TRAINING) -m training.tabular

.PHONY: retrain
retrain: .venv/.ready node_modules ## Train anew, judge, push and wait, as a Kubeflow pipeline run here; for cron and alerts
	@$(TRAINING) -m training.pipeline run --data-path "$(abspath $(DATA))" --models-path "$(abspath $(MODELS))" $(PIPELINE)

.PHONY: test-training
test-training: .venv/.ready node_modules ## Test what makes the models; needs no photos
	@$(TRAINING) -m ruff check --quiet training && ../.venv/bin/python -m ruff format --check --quiet training
	@$(TRAINING) -m mypy --config-file training/pyproject.toml training
	@$(TRAINING) -B -m pytest -q -p no:cacheprovider training

.PHONY: images
images: ## Build the images of the gateway and of TF-Serving with the models
	@docker compose build

.PHONY: compose-up
compose-up: ## Start the gateway and TF-Serving as containers, and wait until both are healthy; docs/compose.md
	@docker compose up --build --detach --wait
	@printf '\nReady. Try:\n\n  curl localhost:%s/predict -F file=@%s\n\n' "$${PORT:-9696}" \
	  "$(firstword $(wildcard serving/models/*/parity/*.jpg) photo.jpg)"

.PHONY: compose-down
compose-down: ## Stop and remove those containers
	@docker compose --profile monitoring down

.PHONY: kind-up
kind-up: ## Create a kind cluster with both images, metrics and an Ingress controller; docs/kubernetes.md
	@kubernetes/kind/up.sh

.PHONY: deploy-kind
deploy-kind: kind-up ## From nothing to an answer through the Ingress of a kind cluster; again to bring changes there
	@kubectl apply --kustomize kubernetes/kind
	@kubernetes/rollout.sh
	@kubernetes/kind/try.sh

.PHONY: kind-down
kind-down: ## Delete that cluster
	@kubernetes/kind/down.sh

.PHONY: deploy-gke
deploy-gke: ## Build, push and deploy to GKE: make deploy-gke PROJECT=… CLUSTER=… [DOMAIN=… REGION=… TAG=… OVERLAY=…]
	@kubernetes/gke/deploy.sh

.PHONY: test-cluster
test-cluster: node_modules ## Test the whole system on a cluster, scaling and failures too: make test-cluster KUBECONFIG=file
	@$(if $(KUBECONFIG),KUBECONFIG="$(abspath $(KUBECONFIG))") node --test --test-timeout=900000 tests/cluster/cluster.ts

.node/node_modules/node/bin/node:
	@echo "Node $(NODE_MAJOR) is needed; here is $$(node --version 2>/dev/null || echo none). Installing it into .node"
	@npm install --prefix .node --no-save --no-package-lock --ignore-scripts=false --loglevel=error node@$(NODE_MAJOR) >/dev/null

# One stamp for the whole installation: the lock file that npm writes into it.
.PHONY: node_modules
node_modules: node_modules/.package-lock.json
node_modules/.package-lock.json: package-lock.json $(NODE)
	@npm ci --loglevel=error
	@touch $@

.venv/.ready: serving/training/requirements.lock
	@python3 -m venv .venv && .venv/bin/pip install --quiet -r $< && touch $@

.venv-bench/.ready: bench/requirements.txt bench/generate.py $(shell git ls-files protos)
	@python3 -m venv .venv-bench && .venv-bench/bin/pip install --quiet -r $<
	@.venv-bench/bin/python bench/generate.py && touch $@

.venv-tensorflow/.ready: $(TENSORFLOW_SERVER)/requirements.txt
	@echo "Installing TensorFlow for the tests against it into .venv-tensorflow"
	@python3 -m venv .venv-tensorflow && .venv-tensorflow/bin/pip install --quiet -r $<
	@.venv-tensorflow/bin/pip install --quiet --no-deps tensorflow-serving-api==2.19.1 && touch $@

.kubernetes-tools/.ready: $(shell git ls-files -co --exclude-standard kubernetes/checks)
	@echo "Building the programs that check the Kubernetes manifests into .kubernetes-tools"
	@kubernetes/checks/install.sh .kubernetes-tools
	@touch $@
