# The two commands that matter: `make demo` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
SWIFT ?= swift
IMPORT_CHECK := --explicit-target-dependency-import-check error
LINT_PATHS := Package.swift Sources ctl Tests

.DEFAULT_GOAL := help
.PHONY: help demo test build release lint format check packages test-packages scenes-model clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: packages release ## judge the bundled pictures through a private PostgreSQL, print the pairs
	@deploy/demo/run

test: test-packages ## build and run every test against a private PostgreSQL
	$(SWIFT) build --build-tests $(IMPORT_CHECK)
	@Tests/Support/check-wide-symbols debug
	@Tests/Support/run-tests

build: ## debug build, with the check of imports against the manifest
	$(SWIFT) build $(IMPORT_CHECK)

release: ## optimised build of rewardd, rewardctl and rewardbench
	$(SWIFT) build -c release $(IMPORT_CHECK)
	@Tests/Support/check-wide-symbols release

lint: ## formatting and style rules; changes nothing
	$(SWIFT) format lint --strict --parallel --recursive $(LINT_PATHS)

format: ## format in place
	$(SWIFT) format --in-place --parallel --recursive $(LINT_PATHS)

check: test lint demo ## what the continuous integration runs

test-packages:
	@deploy/install-packages tests

packages: ## install the system packages that are missing (apt, as root or through sudo)
	@deploy/install-packages

scenes-model: packages release ## train the model `scenes` by rewardd itself (ARGS=--dry-run shows the recipe)
	@deploy/models/train-scenes $(ARGS)

clean: ## remove build products and the demo's state
	rm -rf .build .rewardd
