GOLANGCI    := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOFUMPT     := go run mvdan.cc/gofumpt@v0.12.0
E2E         := testdata/e2e
FUZZTIME    ?= 30s
VERSION     ?= 4.4.0

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build ./queueform, static
	CGO_ENABLED=0 go build -trimpath -o queueform .

.PHONY: test
test: java ## Run all tests, those against real Kafka included
	go test ./...
	cd $(E2E) && go test -count=1 -p 1 -parallel 8 -timeout 20m ./... # the binary they run is no input that go test knows; the parallel ones wait for leases

.PHONY: unit
unit: ## Run the tests that need no Kafka
	go test ./...

.PHONY: race
race: ## Run the tests that need no Kafka under the race detector
	go test -race ./...

.PHONY: java
java: ## Install Java, Maven and gcc if they are missing (on Debian)
	@bash testdata/kafka/java.sh

.PHONY: lint
lint: ## Run the linters
	$(GOLANGCI) run ./...
	cd $(E2E) && $(GOLANGCI) run -c ../../.golangci.yml ./...

.PHONY: fmt
fmt: ## Format the Go code
	$(GOFUMPT) -w .

.PHONY: fmt-check
fmt-check: ## Fail where the Go code is not formatted
	@unformatted=$$($(GOFUMPT) -l .) && if [ -n "$$unformatted" ]; then echo "make fmt would change:"; echo "$$unformatted"; exit 1; fi

.PHONY: tidy
tidy: ## Tidy both modules
	go mod tidy
	cd $(E2E) && go mod tidy

.PHONY: tidy-check
tidy-check: ## Fail where a module is not tidy
	go mod tidy -diff
	cd $(E2E) && go mod tidy -diff

.PHONY: generate
generate: java ## Write the tables of schema/catalog from real Kafka
	cd $(E2E) && go run ./catalog

.PHONY: generate-check
generate-check: java ## Fail where the tables are not what the generator writes
	cd $(E2E) && go run ./catalog -check

.PHONY: vuln
vuln: ## Look for known vulnerabilities
	@bash .ci/vulnerabilities

.PHONY: sweep
sweep: java ## Kill an apply after each of its requests, and lose the answer to each write
	cd $(E2E) && QUEUEFORM_SWEEP=all go test -count=1 -timeout 60m -run '^(TestKillSweep|TestAnswersAreLost)$$' -v .

.PHONY: bench
bench: java ## Run the benchmarks
	cd $(E2E) && go test -run '^$$' -bench . -benchmem -timeout 60m ./...

.PHONY: fuzz
fuzz: ## Run each fuzz test for FUZZTIME
	@go list ./... | while read -r package; do \
		go test -list '^Fuzz' $$package | grep '^Fuzz' | while read -r name; do \
			echo "$$package $$name"; \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$package </dev/null || exit 1; \
		done || exit 1; \
	done

.PHONY: kafka
kafka: java ## Run a Kafka cluster of three brokers until Ctrl-C (VERSION=4.4.0)
	@cd $(E2E) && go run ./kafka -version $(VERSION)
