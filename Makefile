# Two commands matter: `make demo` shows the product working, `make test` checks it.
# Both need Go and a C compiler and nothing else.
SHELL   := bash -o pipefail
GO      ?= go
BIN     := bin/xiezhi
FUZZ    ?= 10s
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: all build demo test race fuzz bench lint clean

all: build

build: $(BIN)

$(BIN): $(shell find cmd internal rules schema -name '*.go' -not -name '*_test.go' 2>/dev/null) $(shell find rules schema -name '*.yaml' -o -name '*.json' 2>/dev/null) go.mod
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/xiezhi

# The demo analyses a real capture. Findings (exit 1) are what it is for.
demo: $(BIN)
	@$(BIN) analyze testdata/vampi/vampi.pcap.zst; code=$$?; \
	if [ $$code -eq 1 ]; then \
	  printf '\nNow try your own: %s analyze capture.pcap   (or access.log, traffic.har)\n' '$(BIN)'; \
	else echo "demo: expected findings (exit 1), got exit $$code" >&2; exit 1; fi

test:
	$(GO) vet ./...
	$(GO) test ./...

race:
	$(GO) test -race ./...

# Every fuzz target for FUZZ each, on one worker.
fuzz:
	@set -e; for pkg in $$($(GO) list ./...); do \
	  dir=$$($(GO) list -f '{{.Dir}}' $$pkg); \
	  for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go 2>/dev/null | sed 's/func //' | sort); do \
	    echo "$$pkg $$f"; $(GO) test $$pkg -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZ) -fuzzminimizetime 10x -parallel 2 | tail -n 3; \
	  done; done

# One core: figures per core are what can be compared between machines.
bench:
	GOMAXPROCS=1 $(GO) test -run '^$$' -bench . -benchmem ./...

lint:
	$(GO) vet ./...
	@unformatted=$$(gofmt -l cmd internal rules schema); if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted" >&2; exit 1; fi
	golangci-lint run ./...

clean:
	rm -rf bin
