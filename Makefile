# Two commands matter: `make demo` shows the product working, `make test` checks it.
# Both need Go and a C compiler and nothing else.
SHELL   := bash -o pipefail
GO      ?= go
BIN     := bin/xiezhi
FUZZ    ?= 10s
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: all build demo test race fuzz bench bench-logs lint clean

all: build

build: $(BIN)

$(BIN): $(shell find cmd internal lab rules schema -type f -not -name '*_test.go' -not -path '*/testdata/*' 2>/dev/null) go.mod
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

# Every fuzz target for FUZZ each.
fuzz:
	@GO=$(GO) .ci/fuzz $(FUZZ)

# One core: figures per core are what can be compared between machines.
bench:
	GOMAXPROCS=1 $(GO) test -run '^$$' -bench . -benchmem ./...

# Generated access logs of about 1 GB, of a site of medium size and of one with
# 60 000 visitors and hardly a URL twice; GoAccess on the same file when it is
# installed. CPU time of one core: where it is shared, repeat and take the best.
LOG_LINES ?= 4400000
LOG_DIR   ?= bin/logs
bench-logs: $(BIN)
	@mkdir -p $(LOG_DIR); TIMEFORMAT='%U + %S s CPU'; \
	for kind in medium high; do \
	  log=$(LOG_DIR)/$$kind.log; flag=; [ $$kind = high ] && flag=-high; \
	  [ -s $$log ] || $(GO) run ./internal/source/accesslog/logtest/loggen -lines $(LOG_LINES) $$flag > $$log; \
	  echo "$$kind: $$(wc -l < $$log) lines, $$(wc -c < $$log) bytes"; \
	  printf '  xiezhi analyze: '; time GOMAXPROCS=1 $(BIN) analyze --quiet --workers 1 --json $(LOG_DIR)/$$kind.json $$log > /dev/null || [ $$? -eq 1 ] || exit; \
	  if command -v goaccess > /dev/null; then \
	    printf '  goaccess:       '; time goaccess $$log --log-format=COMBINED -o $(LOG_DIR)/$$kind.goaccess.json --no-progress > /dev/null 2>&1; \
	  else echo '  (the peer for comparison is not installed)'; fi; \
	done

lint:
	$(GO) vet ./...
	@unformatted=$$(gofmt -l cmd internal lab rules schema); if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted" >&2; exit 1; fi
	golangci-lint run ./...

clean:
	rm -rf bin
