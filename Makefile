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
.PHONY: help build test test-unit test-tempest lint fmt demo demo-native demo-memory bench fuzz services services-stop openstack tempest libvirt postgres guest compiler image clean

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the dragoman binary, static, into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/dragoman ./cmd/dragoman

test: compiler services ## every test, with the race detector and real peers (OpenStack and its own tests, libvirt, PostgreSQL); prints the coverage
	eval "$$(./test/libvirt/libvirt.sh env)" && \
	export DRAGOMAN_TEST_POSTGRES="$$(./test/postgres/postgres.sh start)" && \
	DRAGOMAN_TEST_TEMPEST=1 DRAGOMAN_TEST_OPENSTACK=$(DRAGOMAN_OPENSTACK_DIR)/peer.json \
	$(GO) test -race -shuffle=on -timeout 40m -coverpkg=./... -coverprofile=$(COVERAGE) ./...
	DRAGOMAN_TEST_STORE=postgres DRAGOMAN_TEST_POSTGRES="$$(./test/postgres/postgres.sh start)" \
	$(GO) test -race -shuffle=on -timeout 10m ./broker ./policy ./gateway
	@$(GO) tool cover -func=$(COVERAGE) | tail -n 1

test-unit: ## the tests that need no services, nor root; well under a minute once built
	$(GO) test -short -shuffle=on -timeout 5m ./...

test-tempest: openstack tempest ## all of Tempest, directly and through dragoman: over an hour; writes docs/compatibility.md
	DRAGOMAN_TEST_TEMPEST=1 DRAGOMAN_TEST_OPENSTACK=$(DRAGOMAN_OPENSTACK_DIR)/peer.json \
	$(GO) test ./test/tempest -count=1 -v -timeout 4h -run TestTempest -args -targets direct,dragoman,memory -select all.txt -update

lint: $(GOLANGCI) ## style, errors, and the direction of imports
	$(GO) vet ./...
	$(GOLANGCI) run ./...

fmt: $(GOLANGCI) ## format the tree
	$(GOLANGCI) fmt ./...

$(GOLANGCI):
	$(GO) install $(GOLANGCI_PKG)

demo: build ## dragoman runs servers on this machine, then a real OpenStack too; by its own command and by openstack's
	@./test/demo.sh bin/dragoman native openstack

demo-native: build ## the part of the demo on this machine's libvirt alone
	@./test/demo.sh bin/dragoman native

demo-memory: build ## the demo over a cloud in memory: no root needed; serves until Ctrl-C
	@./test/demo.sh bin/dragoman memory

bench: ## the benchmarks; the one beside nginx is skipped without nginx
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## every fuzz target for FUZZTIME (20s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; \
	done

services: openstack tempest libvirt postgres guest ## install and start all that the tests need (Debian packages; as root)

services-stop: ## stop it; the state is kept
	./test/openstack/openstack.sh stop
	./test/libvirt/libvirt.sh stop
	./test/postgres/postgres.sh stop

openstack: ## a real OpenStack on loopback
	./test/openstack/openstack.sh install
	./test/openstack/openstack.sh start

tempest: ## OpenStack's own test suite
	./test/tempest/tempest.sh install

libvirt: ## a libvirtd of our own
	./test/libvirt/libvirt.sh install
	./test/libvirt/libvirt.sh start

postgres: ## a PostgreSQL on loopback
	./test/postgres/postgres.sh start

guest: ## the image of a small server for tests
	./test/guest/build.sh

compiler: # the race detector is cgo
	@command -v gcc >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev; }

image: ## the container image
	docker build --build-arg VERSION=$(VERSION) -t dragoman:$(VERSION) .

clean: ## what was built
	rm -rf bin dist $(COVERAGE)
