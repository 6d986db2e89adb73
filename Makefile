# All commands. `make` without a target lists them.
.DEFAULT_GOAL := help
SHELL := bash
# Since make 3.82. macOS has 3.81: a line with a pipe or several commands begins with `set -eu -o pipefail` too.
.SHELLFLAGS := -eu -o pipefail -c

# The code needs Node 24, which runs TypeScript without a build. If the system's Node is older, the npm package `node` is
# installed into the checkout (.node) and put first in PATH.
NODE_MAJOR := 24
SYSTEM_NODE := $(shell node --version 2>/dev/null | sed 's/^v//; s/\..*//')
ifeq ($(shell test "$(SYSTEM_NODE)" -ge $(NODE_MAJOR) 2>/dev/null && echo yes),yes)
NODE :=
else
NODE := .node/node_modules/node/bin/node
export PATH := $(CURDIR)/$(dir $(NODE)):$(PATH)
endif

# Tests against TensorFlow run if its model server is in a folder beside the repository. That folder lists the Python
# packages it needs.
TENSORFLOW_SERVER := ../shared/lab/tfserving
ifneq ($(wildcard $(TENSORFLOW_SERVER)/requirements.txt),)
export TENSORGATE_TF_PYTHON ?= $(CURDIR)/.venv-tensorflow/bin/python
TENSORFLOW := $(if $(filter $(CURDIR)/%,$(TENSORGATE_TF_PYTHON)),.venv-tensorflow/.ready)
endif

# The Kubernetes manifests are checked if go is installed: it builds the tools.
KUBERNETES_TOOLS := $(if $(shell command -v go),.kubernetes-tools/.ready)

# TF-Serving has no image for arm64: compose and kind take the embedded server there. SERVER= chooses TF-Serving.
ifneq ($(filter arm64 aarch64,$(shell uname -m)),)
export SERVER ?= embedded
endif

SBOM ?= sbom.cdx.json
MODEL ?= clothing-model
DATA ?= data/clothing-dataset-small
WORK ?= serving/training/work
# The first of these that is installed: the packages of training have no wheels for other versions.
PYTHON ?= $(firstword $(foreach version,3.11 3.12,$(shell command -v python$(version) 2>/dev/null)) python3)
MODELS ?= serving/models
TRAIN ?=
TUNE ?=
PHOTOS ?= $(wildcard $(DATA)/test)
PIPELINE ?=
# TF_CPP_MIN_LOG_LEVEL=2 hides TensorFlow's message about CPU instructions that its build does not use.
TRAINING := cd serving && TF_CPP_MIN_LOG_LEVEL=2 ../.venv/bin/python

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-15s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The same option as in the image; gateway/Dockerfile explains it.
run dev: export NODE_OPTIONS ?= --max-semi-space-size=8
.PHONY: run
run: node_modules ## Start the gateway with the embedded model server; settings come from the environment: PORT=8080 make run
	@exec node gateway/cli/main.ts serve

.PHONY: dev
dev: node_modules ## Start the gateway like run, restart it when its code or a model.yaml changes, and print readable logs
	@exec npm run --silent dev

.PHONY: hooks
hooks: node_modules ## Turn on the git hooks of lefthook.yml in this checkout; off: npx lefthook uninstall
	@npm run --silent hooks

.PHONY: test
test: ## Run all checks and all tests
	@$(MAKE) --no-print-directory --jobs=3 lint environments
	@NODE_COMPILE_CACHE="$(CURDIR)/node_modules/.cache/compiled" tests/run.sh $(shell git ls-files -co --exclude-standard '*.test.ts')

# What tests need beside node_modules. Python compiles what it imports of these packages: that is a small part of them.
.PHONY: environments
environments: $(TENSORFLOW) $(KUBERNETES_TOOLS) .venv-buckets/.ready .venv-clients/.ready

.PHONY: lint
lint: node_modules ## Check format, lint rules, types and unused code
	@npm run --silent lint
	@npm run --silent types
	@npm run --silent unused

.PHONY: format
format: node_modules ## Format the code
	@npm run --silent format

.PHONY: docs
docs: node_modules ## Generate what comes from code: the tables of the documentation, and the answers in openapi.json
	@node docs/write.ts
	@node tests/openapi/record.ts

.PHONY: site
site: node_modules ## Build the website of the documentation in the folder site
	@node docs/site/build.ts
	@echo "next: python3 -m http.server --directory site"

.PHONY: docs-commands
docs-commands: node_modules .venv/.ready ## Run the commands of README, tutorials and how-to guides, those that train too: make docs-commands DATA=photos
	@DOCS_COMMANDS=long DOCS_PHOTOS="$(abspath $(DATA))" node --test tests/commands/*.test.ts

.PHONY: release
release: node_modules ## Try a release: package, SBOM, notes and images, without publishing; docs/release.md
	@node packaging/release.ts

.PHONY: screenshots
screenshots: node_modules ## Draw the pictures of the pages in docs/screenshots; needs Chromium in PATH
	@node tests/page/screenshots.ts

.PHONY: package
package: node_modules ## Make the npm package tensorgate-VERSION.tgz, which serves by itself; docs/package.md
	@npm run --silent package

.PHONY: sbom
sbom: $(NODE) ## List the packages of the gateway's image as CycloneDX: make sbom SBOM=file
# Reads a lock without development packages: `npm sbom --omit dev` also omits packages that both need, such as grpc-js.
	@set -eu -o pipefail; copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; mkdir $$copy/tensorgate; \
	cp package.json package-lock.json .npmrc $$copy/tensorgate; \
	(cd $$copy/tensorgate && npm pkg delete devDependencies optionalDependencies && npm install --package-lock-only --offline --silent >&2 && \
	npm sbom --sbom-format cyclonedx --sbom-type application --package-lock-only --silent) > "$(SBOM)"

.PHONY: fuzz
fuzz: node_modules ## Fuzz the parsers for an hour, then decode a million mutated images: make fuzz FUZZ_SECONDS=300
	@npm run --silent fuzz
	@npm run --silent fuzz:images

.PHONY: test-drift
test-drift: node_modules ## Replay usual and unusual photos and customers before a real Prometheus, and see which alerts they raise: ten minutes
	@node tests/drift/alerts.ts

.PHONY: bench
bench: node_modules .venv-bench/.ready $(TENSORFLOW) ## Run all benchmarks against the Python references and write docs/performance.md: make bench PHOTOS=folder
	@node bench/report.ts .venv-bench/bin/python $(PHOTOS)

.PHONY: bench-tensors
bench-tensors: node_modules .venv-bench/.ready $(TENSORFLOW) ## Measure tensors as JSON against FastAPI and TF-Serving's REST API, and write it into docs/performance.md
	@node bench/report.ts .venv-bench/bin/python --only tensors

.PHONY: bench-quick
bench-quick: node_modules .venv-bench/.ready ## Run the main benchmark against the references in two minutes
	@node bench/job.ts .venv-bench/bin/python --quick $(if $(PHOTOS),--photos "$(PHOTOS)")

.PHONY: bench-decode
bench-decode: node_modules ## Measure decoding in processes against decoding in threads
	@node bench/decode.ts

.PHONY: bench-jpeg
bench-jpeg: node_modules .venv-bench/.ready ## Measure decoding of JPEGs against sharp and Pillow
	@node bench/jpeg.ts .venv-bench/bin/python

.PHONY: bench-resample
bench-resample: node_modules .venv-bench/.ready ## Measure resizing against Pillow and numpy
	@node bench/resample.ts .venv-bench/bin/python

.PHONY: bench-start
bench-start: node_modules .venv-bench/.ready ## Measure the cold start against the references
	@node bench/start.ts .venv-bench/bin/python

.PHONY: bench-batching
bench-batching: node_modules $(TENSORFLOW) ## Measure a full Xception with and without serving/batching.config
	@node bench/batching.ts

.PHONY: train
train: .venv/.ready ## Train on a folder of photos per class, evaluate, push; again to resume: make train DATA=bees-and-wasps TRAIN="--max-minutes 60"
	@$(TRAINING) -m training --data "$(abspath $(DATA))" --work "$(abspath $(WORK))" --models "$(abspath $(MODELS))" \
	  $(if $(NAME),--name "$(NAME)") $(TRAIN)
	@$(MAKE) --no-print-directory push

.PHONY: push
push: .venv/.ready node_modules ## Publish the candidate that training left in WORK, with its model card
	@set -eu -o pipefail; candidate=$$(echo "$(WORK)"/candidate/*/1); name=$$(basename "$$(dirname "$$candidate")"); \
	version=$$(node gateway/cli/main.ts models push "$$candidate" --model "$$name" --models "$(MODELS)" --json \
	  | node --print 'JSON.parse(require("node:fs").readFileSync(0, "utf8")).version'); \
	folder="$(abspath $(MODELS))/$$name"; $(TRAINING) -m training.card "$$folder" $$version; \
	../.venv/bin/python -m training.lineage "$$folder" $$version --pushed --work "$(abspath $(WORK))"; \
	echo "next: make run, then open http://localhost:9696/?model=$$name"

.PHONY: tune
tune: .venv/.ready ## Search for better training settings: make tune DATA=folder TUNE="--trials 30 --jobs 2"
	@$(TRAINING) -m training.tune --data "$(abspath $(DATA))" --work "$(abspath $(WORK))" $(TUNE)

.PHONY: mlflow-ui
mlflow-ui: .venv/.ready ## Show the runs recorded in WORK at http://127.0.0.1:5000
	@MLFLOW_DISABLE_TELEMETRY=true .venv/bin/mlflow ui --backend-store-uri "sqlite:///$(abspath $(WORK))/mlflow.db"

.PHONY: lineage
lineage: .venv/.ready ## Show the data, code and run behind a served version: make lineage MODEL=clothing-model VERSION=2
	@$(TRAINING) -m training.lineage "$(abspath $(MODELS))/$(MODEL)" $(VERSION) --work "$(abspath $(WORK))"

.PHONY: convert
convert: .venv/.ready ## Add a Keras model or SavedModel to MODELS: make convert FROM=model.h5 NAME=my-model CLASSES=a,b,c SCALE=tf [RESIZE=… ENGINE=…]
	@$(if $(and $(FROM),$(NAME)),,$(error FROM and NAME are missing: make convert FROM=model.h5 NAME=my-model CLASSES=a,b,c SCALE=tf))
	@$(TRAINING) -m training.convert --from "$(abspath $(FROM))" --name "$(NAME)" --out "$(abspath $(MODELS))" \
	  $(if $(CLASSES),--classes "$(CLASSES)") $(if $(SCALE),--scale "$(SCALE)") $(if $(RESIZE),--resize "$(RESIZE)") \
	  $(if $(ENGINE),--engine "$(ENGINE)") $(if $(SCORES),--scores "$(SCORES)") $(if $(OUTPUT),--output "$(OUTPUT)") \
	  $(if $(MODEL_YAML),--model-yaml "$(abspath $(MODEL_YAML))")

.PHONY: tabular
tabular: .venv/.ready ## Write the tabular models into serving/models
	@$(TRAINING) -m training.tabular

.PHONY: retrain
retrain: .venv/.ready node_modules ## Retrain, and push what the gate accepts, for cron and alerts: make retrain DATA=photos, or LOG=folder with labelled records
# A refusal of the gate is no failure: the current version stays.
ifdef LOG
	@set -eu -o pipefail; status=0; ($(TRAINING) -m training.tabular.train --log "$(abspath $(LOG))" \
	  --work "$(abspath $(WORK))" --models "$(abspath $(MODELS))" $(TRAIN)) || status=$$?; \
	if [ $$status = 0 ]; then $(MAKE) --no-print-directory push; elif [ $$status = 3 ]; then echo "nothing pushed"; \
	else exit $$status; fi
else
	@$(TRAINING) -m training.pipeline run --work "$(abspath $(WORK))" --data-path "$(abspath $(DATA))" \
	  --models-path "$(abspath $(MODELS))" $(PIPELINE)
endif

.PHONY: demo-drift
demo-drift: .venv/.ready node_modules ## Watch an alert about drift lead to a new version that serves; needs prometheus and prometheus-alertmanager
	@node tests/demo-drift/demo.ts

.PHONY: test-training
test-training: .venv/.ready node_modules ## Test the training code; needs no photos
	@$(TRAINING) -m ruff check --quiet training && ../.venv/bin/python -m ruff format --check --quiet training
	@$(TRAINING) -m mypy --config-file training/pyproject.toml training
	@$(TRAINING) -B -m pytest -q -p no:cacheprovider training

.PHONY: images
images: ## Build the gateway image and the TF-Serving image with the models
	@docker compose build

.PHONY: compose-up
compose-up: ## Start the gateway and TF-Serving as containers and wait until both are healthy; docs/compose.md
	@docker compose up --build --detach --wait
	@printf '\nReady. Try:\n\n  curl localhost:%s/predict -F file=@%s\n\n' "$${PORT:-9696}" \
	  "$(firstword $(wildcard serving/models/*/parity/*.jpg) photo.jpg)"

.PHONY: compose-down
compose-down: ## Stop and remove these containers
	@docker compose --profile monitoring down

.PHONY: kind-up
kind-up: ## Create a kind cluster with both images, metrics and an Ingress controller; docs/kubernetes.md
	@kubernetes/kind/up.sh

.PHONY: deploy-kind
deploy-kind: kind-up ## Create a kind cluster, deploy, and print a request through its Ingress; run again to deploy changes
	@kubectl apply --kustomize kubernetes/kind-models
	@kubernetes/rollout.sh
	@kubernetes/kind/try.sh

.PHONY: kind-down
kind-down: ## Delete the kind cluster
	@kubernetes/kind/down.sh

.PHONY: deploy-gke
deploy-gke: ## Build, push and deploy to GKE: make deploy-gke PROJECT=… CLUSTER=… [DOMAIN=… REGION=… TAG=… OVERLAY=…]
	@kubernetes/gke/deploy.sh

.PHONY: test-cluster
test-cluster: node_modules ## Test the whole system on a cluster, with scaling and failures: make test-cluster KUBECONFIG=file
	@$(if $(KUBECONFIG),KUBECONFIG="$(abspath $(KUBECONFIG))") node --test --test-timeout=900000 tests/cluster/cluster.ts

.node/node_modules/node/bin/node:
	@echo "Node $(NODE_MAJOR) is required, found $$(node --version 2>/dev/null || echo none). Installing it into .node"
	@npm install --prefix .node --no-save --no-package-lock --ignore-scripts=false --loglevel=error node@$(NODE_MAJOR) >/dev/null

# npm writes this file at the end of an installation, so its time is that of the whole installation.
.PHONY: node_modules
node_modules: node_modules/.package-lock.json
node_modules/.package-lock.json: package-lock.json $(NODE)
	@npm ci --loglevel=error
	@touch $@

.venv/.ready: serving/training/requirements.lock
	@echo "Installing what training needs into .venv: about 2 GB, once"
	@$(PYTHON) -c 'import sys; sys.exit("training needs Python 3.11 or 3.12, found " + sys.version.split()[0] + ": make PYTHON=…") if sys.version_info[:2] not in ((3, 11), (3, 12)) else None'
	@$(PYTHON) -m venv .venv && .venv/bin/pip install --disable-pip-version-check --progress-bar on -r $< && touch $@

.venv-bench/.ready: bench/requirements.txt bench/generate.py $(shell git ls-files protos 2>/dev/null)
	@python3 -m venv .venv-bench && .venv-bench/bin/pip install --quiet -r $<
	@.venv-bench/bin/python bench/generate.py && touch $@

.venv-clients/.ready: tests/clients/requirements.txt
	@echo "Installing the public clients of tests/clients into .venv-clients"
	@python3 -m venv .venv-clients && .venv-clients/bin/pip install --quiet --no-compile -r $< && touch $@

.venv-tensorflow/.ready: $(TENSORFLOW_SERVER)/requirements.txt
	@echo "Installing TensorFlow for its tests into .venv-tensorflow"
	@python3 -m venv .venv-tensorflow && .venv-tensorflow/bin/pip install --quiet --no-compile -r $<
	@.venv-tensorflow/bin/pip install --quiet --no-deps tensorflow-serving-api==2.19.1 && touch $@

.venv-buckets/.ready: tests/buckets/requirements.txt
	@echo "Installing the stores of the bucket tests into .venv-buckets"
	@python3 -m venv .venv-buckets && .venv-buckets/bin/pip install --quiet --no-compile --no-deps -r $< && touch $@

.kubernetes-tools/.ready: $(shell git ls-files -co --exclude-standard kubernetes/checks 2>/dev/null) | $(NODE)
	@echo "Building the tools that check the Kubernetes manifests into .kubernetes-tools"
	@kubernetes/checks/install.sh .kubernetes-tools
	@touch $@
