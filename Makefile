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

DATA ?= data/clothing-dataset-small

.PHONY: help
help: ## List what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: run
run: node_modules ## Start the gateway with the embedded model server; settings by environment: PORT=8080 make run
	@exec node gateway/cli/main.ts serve

.PHONY: test
test: lint ## Check everything, then run all tests
	@node --test --test-reporter=spec $(shell git ls-files -co --exclude-standard '*.test.ts')

.PHONY: lint
lint: node_modules ## Format and lint rules, types, unused code
	@npx biome check --error-on-warnings .
	@npx tsc -p .
	@npx knip

.PHONY: format
format: node_modules ## Format the code
	@npx biome check --write .

.PHONY: docs
docs: node_modules ## Write the tables of the documentation that come from code
	@node docs/write.ts

.PHONY: bench
bench: node_modules ## Measure the straight line beside a Pillow + grpcio reference
	@bench/run

.PHONY: train
train: .venv ## Train, evaluate and export the model: make train DATA=folder of the clothing data set
	@echo TODO

.node/node_modules/node/bin/node:
	@echo "Node $(NODE_MAJOR) is needed, here is $$(node --version 2>/dev/null || echo none): installing it into .node"
	@npm install --prefix .node --no-save --no-package-lock --ignore-scripts=false --loglevel=error node@$(NODE_MAJOR) >/dev/null

# One stamp for the whole installation: the lock file npm writes into node_modules.
node_modules: node_modules/.package-lock.json
node_modules/.package-lock.json: package-lock.json $(NODE)
	@npm ci --loglevel=error
	@touch $@
