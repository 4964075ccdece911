# Two promises: `make run` and `make test`, each alone, on a fresh Debian machine with git, make, cargo and node.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
CARGO ?= cargo
# Where the product keeps its database and its keys.
DATA ?= data
# Passed to the server: `make run ARGS="--tls --listen 0.0.0.0:8443"`.
ARGS ?=
# `make run PROFILE=dev` builds faster and relays slower.
PROFILE ?= release
PROFILE_DIR = $(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
TARGET = $(or $(CARGO_TARGET_DIR),target)

WEB_SOURCES = $(shell find web-client/src web-client/public web-client/index.html web-client/vite.config.ts -type f 2>/dev/null)

.PHONY: run build test check types deep fuzz bench bench-peers setup-run setup-test clean

run: build ## build everything and start the demo practice
	@exec $(TARGET)/$(PROFILE_DIR)/mortar --data $(DATA) $(ARGS)

build: setup-run web-client/dist/.stamp
	@echo "Building the server ($(PROFILE)); the first time takes some minutes."
	@$(CARGO) build --locked --profile $(PROFILE) -p mortar

web-client/dist/.stamp: web-client/node_modules/.stamp $(WEB_SOURCES)
	@cd web-client && npm run --silent build
	@touch $@

web-client/node_modules/.stamp: web-client/package-lock.json
	@echo "Installing the web client's packages from its lock file (no install scripts run)."
	@cd web-client && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

tests/browser/node_modules/.stamp: tests/browser/package-lock.json
	@cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

tests/fhir/node_modules/.stamp: tests/fhir/package-lock.json
	@cd tests/fhir && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

test: setup-test web-client/dist/.stamp tests/browser/node_modules/.stamp tests/fhir/node_modules/.stamp ## prove the product; prints a closing count
	@bash infra/test.sh

check: setup-run web-client/node_modules/.stamp ## what review would say first
	@bash infra/check.sh

types: setup-run ## write web-client/src/wire.ts from the Rust types
	@MORTAR_BLESS=1 $(CARGO) test --quiet -p tests --test wire_ts

deep: setup-test web-client/dist/.stamp tests/browser/node_modules/.stamp tests/fhir/node_modules/.stamp ## the long versions, with the figures of the design
	@MORTAR_SCALE=full bash infra/test.sh

fuzz: setup-run web-client/dist/.stamp ## LLVM's fuzzer on everything that reads a stranger's bytes: TIME=600 TARGETS="rtcp relay"
	@bash infra/fuzz.sh $(TARGETS)

bench: setup-run web-client/dist/.stamp ## figures of this machine, as METRIC lines: the core alone, delay, fan-out against the floor, joins
	@$(CARGO) test --release -p sfu --test cost -- --nocapture | grep --line-buffered '^METRIC'
	@$(CARGO) test --release -p tests --test media -- --nocapture | grep --line-buffered -E '^(METRIC|test )'
	@$(CARGO) build --locked --release -p load -p mortar
	@$(TARGET)/release/load bench

bench-peers: setup-run web-client/dist/.stamp ## the same load on ours and on Janus; needs root and the package janus
	@command -v janus >/dev/null || { echo "Janus is missing: apt-get install janus"; exit 1; }
	@$(CARGO) build --locked --release -p load -p mortar
	@$(TARGET)/release/load peers

setup-run:
	@bash infra/setup.sh run

setup-test:
	@bash infra/setup.sh test

clean:
	@$(CARGO) clean
	@rm -rf web-client/node_modules tests/browser/node_modules tests/browser/out tests/fhir/node_modules
	@find web-client/dist -mindepth 1 ! -name .keep -delete
