# Everything that is done to this tree, by name. `make help` lists it.

GO            ?= go
VERSION       ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS       := -s -w -X main.version=$(VERSION)
GOLANGCI      := $(shell $(GO) env GOPATH)/bin/golangci-lint
GOLANGCI_PKG  := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.7.2
COVERAGE      ?= coverage.out
# Where the real OpenStack of the tests keeps its state.
export DRAGOMAN_OPENSTACK_DIR ?= /var/tmp/dragoman-openstack
FUZZTIME      ?= 20s

.DEFAULT_GOAL := help
.PHONY: help build test test-unit lint fmt demo demo-memory bench fuzz openstack compiler image clean

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the dragoman binary, static, into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/dragoman ./cmd/dragoman

test: compiler openstack ## every test, with the race detector, a real OpenStack and a real PostgreSQL; prints the coverage
	postgres=$$(./test/postgres/postgres.sh start) && \
	DRAGOMAN_TEST_OPENSTACK=$(DRAGOMAN_OPENSTACK_DIR)/peer.json DRAGOMAN_TEST_POSTGRES=$$postgres $(GO) test -race -shuffle=on -timeout 20m -coverpkg=./... -coverprofile=$(COVERAGE) ./...
	@$(GO) tool cover -func=$(COVERAGE) | tail -n 1

test-unit: ## the tests that need no services, nor root; well under a minute once built
	$(GO) test -short -shuffle=on -timeout 5m ./...

lint: $(GOLANGCI) ## style, errors, and the direction of imports
	$(GO) vet ./...
	$(GOLANGCI) run ./...

fmt: $(GOLANGCI) ## format the tree
	$(GOLANGCI) fmt ./...

$(GOLANGCI):
	$(GO) install $(GOLANGCI_PKG)

demo: build ## dragoman and the openstack command, over a real OpenStack and a cloud in memory
	@./test/demo.sh bin/dragoman

demo-memory: build ## the part of the demo that needs no OpenStack, and takes seconds
	@DEMO_CLOUD=memory ./test/demo.sh bin/dragoman

bench: ## the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## every fuzz target for FUZZTIME (20s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; \
	done

openstack: ## a real OpenStack on loopback (Debian packages; as root)
	./test/openstack/openstack.sh install
	./test/openstack/openstack.sh start

compiler: # the race detector is cgo
	@command -v gcc >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev; }

image: ## the container image
	docker build --build-arg VERSION=$(VERSION) -t dragoman:$(VERSION) .

clean: ## what was built
	rm -rf bin dist $(COVERAGE)
