# Two commands matter: `make demo` shows the product working, `make test` checks it.
# Both need Go and a C and C++ compiler and nothing else.
SHELL   := bash -o pipefail
GO      ?= go
BIN     := bin/xiezhi
FUZZ    ?= 10s
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# DuckDB, which keeps single observations, is C++: where that cannot be linked,
# everything else is built, and says what is missing.
CGO_ENABLED ?= $(shell printf 'int main(void) { return 0; }' | $$($(GO) env CC) -x c - -o /dev/null -lstdc++ 2>/dev/null && echo 1 || echo 0)
export CGO_ENABLED

.PHONY: all build console console-check flows demo test basemap victims score race fuzz bench bench-peers bench-logs lint clean

all: build

build: $(BIN)

$(BIN): $(shell find cmd internal lab rules schema web/dist -type f -not -name '*_test.go' -not -path '*/testdata/*' 2>/dev/null) go.mod
	$(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/xiezhi

# The demo shows the product at work on made-up traffic, until it is
# interrupted. Where nobody looks on, as in CI, it ends when the history is in.
demo: $(BIN)
	@if [ -t 1 ]; then exec $(BIN) demo $(DEMO); else exec $(BIN) demo --once $(DEMO); fi

test:
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...

# The acceptance of the defect audits: services with switches, over many seeds.
SEEDS ?= 30
victims:
	XIEZHI_SEEDS=$(SEEDS) $(GO) test ./lab/victim -count 1 -timeout 60m -v -run 'TestDefectsAreFound|TestFlawsAlone|TestFixesAreVerified'

# The map of networks that ships, made anew of two packages of the npm registry.
# Set Date in internal/intel/basemap/date.go to the day of the packages.
BASEMAP_DIR     ?= bin/basemap
BASEMAP_VERSION ?= 2.3.2026061719
BASEMAP_DATE    ?= 2026-06-17
basemap:
	@mkdir -p $(BASEMAP_DIR)/asn $(BASEMAP_DIR)/country
	cd $(BASEMAP_DIR) && npm pack --silent @ip-location-db/asn@$(BASEMAP_VERSION) @ip-location-db/geo-whois-asn-country@$(BASEMAP_VERSION)
	tar -xzf $(BASEMAP_DIR)/ip-location-db-asn-$(BASEMAP_VERSION).tgz -C $(BASEMAP_DIR)/asn
	tar -xzf $(BASEMAP_DIR)/ip-location-db-geo-whois-asn-country-$(BASEMAP_VERSION).tgz -C $(BASEMAP_DIR)/country
	$(GO) run ./internal/intel/basemap/mkbase -asn $(BASEMAP_DIR)/asn/package -country $(BASEMAP_DIR)/country/package -date $(BASEMAP_DATE) -o internal/intel/basemap/base.map

# The scoreboard of attack detection: docs/scoreboard.md and its Chinese twin.
# SCORE_SEEDS=n plays a short one; what was played is kept in SCORE_KEEP, so
# that a board that was broken off goes on. A bar that is missed (exit 1) is
# said in the document.
SCORE_SEEDS ?= 60
SCORE_KEEP  ?= bin/score
SCORE_DOCS  ?= docs
score: $(BIN)
	@$(BIN) lab score --seeds $(SCORE_SEEDS) --keep $(SCORE_KEEP) --markdown $(SCORE_DOCS) --misses $(SCORE_KEEP)/misses.md; code=$$?; [ $$code -le 1 ] || exit $$code

# The console, built of web/ into web/dist, which is committed: only who changes
# it needs Node (20 or later).
web/node_modules: web/package-lock.json
	cd web && npm ci --no-audit --no-fund && touch node_modules

console: web/node_modules
	cd web && npm run build
	$(GO) generate ./web

# What is committed is what the sources give; types, units and sizes hold.
console-check: web/node_modules
	cd web && npm run types && npx tsc --noEmit && npm test && \
	  npx vite build --outDir ../bin/dist --emptyOutDir --logLevel warn && diff -r ../bin/dist dist && node size.mjs

# Flows of people through the console in Chromium, against the program at work;
# FLOWS names files of web/e2e, as in make flows FLOWS='defects inventory'.
flows: $(BIN) web/node_modules
	cd web && npm run --silent types && npm run --silent flows -- $(FLOWS)

race:
	$(GO) test -race ./...

# Every fuzz target for FUZZ each.
fuzz:
	@GO=$(GO) .ci/fuzz $(FUZZ)

# One core: figures per core are what can be compared between machines.
bench:
	GOMAXPROCS=1 $(GO) test -run '^$$' -bench . -benchmem ./...

# Xiezhi beside other programs on the same generated files, in turns on one
# core: a capture of 177 000 transactions (583 MB) and an access log of about
# 1 GB. The programs are Debian's: tshark tcpflow httpry ngrep tcpdump goaccess
# gawk; what is not installed is named. Ends within about ten minutes.
PEER_DIR          ?= bin/peers
PEER_TRANSACTIONS ?= 177000
PEER_ROUNDS       ?= 3
PEER_TIME         ?= 8m
LOG_LINES         ?= 4400000
PEER_PCAP         := $(PEER_DIR)/shop-$(PEER_TRANSACTIONS).pcap
PEER_LOG          := $(PEER_DIR)/medium-$(LOG_LINES).log
PEER_LOG_HIGH     := $(PEER_DIR)/high-$(LOG_LINES).log

$(PEER_PCAP):
	@mkdir -p $(@D)
	$(GO) run ./internal/source/pcap/pcaptest/pcapgen -transactions $(PEER_TRANSACTIONS) > $@.part && mv $@.part $@
$(PEER_LOG):
	@mkdir -p $(@D)
	$(GO) run ./internal/source/accesslog/logtest/loggen -lines $(LOG_LINES) > $@.part && mv $@.part $@
$(PEER_LOG_HIGH):
	@mkdir -p $(@D)
	$(GO) run ./internal/source/accesslog/logtest/loggen -lines $(LOG_LINES) -high > $@.part && mv $@.part $@

bench-peers: $(BIN) $(PEER_PCAP) $(PEER_LOG)
	@$(GO) run ./lab/peers -xiezhi $(BIN) -rounds $(PEER_ROUNDS) -time $(PEER_TIME) \
	  -pcap $(PEER_PCAP) -transactions $(PEER_TRANSACTIONS) -log $(PEER_LOG) -lines $(LOG_LINES)

# The logs alone, also the one with 60 000 visitors and hardly a URL twice.
bench-logs: $(BIN) $(PEER_LOG) $(PEER_LOG_HIGH)
	@for log in $(PEER_LOG) $(PEER_LOG_HIGH); do \
	  $(GO) run ./lab/peers -xiezhi $(BIN) -rounds $(PEER_ROUNDS) -time $(PEER_TIME) -log $$log -lines $(LOG_LINES); done

lint:
	$(GO) vet ./...
	@unformatted=$$(gofmt -l cmd internal lab rules schema); if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted" >&2; exit 1; fi
	golangci-lint run ./...

clean:
	rm -rf bin
