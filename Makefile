# What to type; `make` alone prints the list. Continuous integration (.ci/run) uses these targets and nothing else.

CARGO ?= cargo
# Arguments for `heliograph dev`, e.g. make run ARGS="--http 127.0.0.1:9000"
ARGS ?=
# A filter for the tests, e.g. make test TESTS=egress
TESTS ?=
# What to measure, e.g. make bench BENCH="--only ingress"
BENCH ?=
# How far to walk, e.g. make soak ENTRIES=10000000
ENTRIES ?= 100000000
# How long to fuzz each parser, in seconds, and which; e.g. make fuzz FUZZ="60 wechat"
FUZZ ?= 600
# A seed of the fault simulation to play again, aloud, e.g. make simulate SEED=7; so many from there on, in silence, with
# SEEDS=100. For make soak: the first seed, and how many.
SEED ?=
SEEDS ?=
# What to simulate, e.g. make simulate SCENARIOS=my-centre.yaml
SCENARIOS ?= $(wildcard deploy/samples/simulate/*.yaml deploy/samples/simulate/*/*.yaml)
# The branch whose wire contracts must stay readable.
BASE ?= main

BOOTSTRAP := deploy/tools/bootstrap.sh
# The fetched programs come first, cargo's subcommands among them.
export PATH := $(CURDIR)/.tools/bin:$(PATH)

.DEFAULT_GOAL := help

##@ Use

.PHONY: run
run: tools ## Start the whole fleet with brokers, sample tenant and playing customers (ARGS=…)
	$(CARGO) run -p heliograph -- dev $(ARGS)

.PHONY: clean-data
clean-data: ## Forget what `make run` keeps in data/
	rm -rf data

##@ Check

.PHONY: test
test: tools tools-checks tools-peers tools-browser test-web ## Run every test against real brokers, peers and a browser (TESTS=…)
	$(CARGO) nextest run --locked --workspace $(TESTS)
	$(CARGO) test --locked --workspace --doc
	@test -x .tools/browser/chromium || echo "SKIPPED: the browser tests (make tools-browser says why)"

.PHONY: test-web
test-web: ## Run the web pages' own tests (needs node)
	@if command -v node >/dev/null; then \
		node --test services/channels/webchat/web/tests/*.test.mjs services/desk/web/tests/*.test.mjs; \
	else echo "SKIPPED: the web pages' tests (there is no node)"; fi

.PHONY: chaos
chaos: tools tools-checks ## Kill, restart and flush everything in turn while 10,000 messages pass
	HELIOGRAPH_CHAOS_MESSAGES=10000 HELIOGRAPH_CHAOS_CONVERSATIONS=200 \
		$(CARGO) nextest run --locked --profile chaos -p heliograph -p heliograph-tests -E 'test(chaos::)' --no-capture

.PHONY: policy
policy: tools tools-checks ## Show what regional policy promises: properties, mutants, whole fleets, speed
	$(CARGO) nextest run --locked -p heliograph-policy -p heliograph-domain
	$(CARGO) nextest run --locked -p heliograph -p heliograph-tests -E 'test(policy) | test(regional)'
	$(CARGO) run --locked -p heliograph -- policy test -f deploy/samples/world.yaml --mutate
	$(CARGO) bench --locked -p heliograph-policy --bench decide
	$(MAKE) bench BENCH="--only policy"

.PHONY: fuzz
fuzz: ## Fuzz every parser of what providers send (FUZZ="10" seconds each, FUZZ="600 wechat bottle")
	deploy/tools/fuzz.sh $(FUZZ)

.PHONY: soak
soak: ## Walk a hundred million random entries through the engine (ENTRIES=…), then thousands of seeds through its shell (SEEDS=…)
	HELIOGRAPH_SOAK=$(ENTRIES) $(CARGO) test --release --locked -p heliograph-assignment --lib walk -- --nocapture
	@first=$(SEED); first=$${first:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}; \
	echo "the first seed is $$first; the same again: make soak ENTRIES=$(ENTRIES) SEED=$$first SEEDS=$(or $(SEEDS),4000)"; \
	HELIOGRAPH_SIMULATION_FIRST=$$first HELIOGRAPH_SIMULATION_SEEDS=$(or $(SEEDS),4000) \
		$(CARGO) test --release --locked -p heliograph-router --lib simulation::tests::nothing_is_lost -- --nocapture

.PHONY: simulate
ifeq ($(SEED),)
simulate: ## Simulate contact centres: closed forms, best static policies, a day (SCENARIOS=…); or play a seed in which routers fail (SEED=…)
	$(CARGO) run --release --locked -p heliograph-simulation --example simulate -- --out target/simulate $(SCENARIOS)
else ifeq ($(SEEDS),)
simulate:
	HELIOGRAPH_SIMULATION_SEED=$(SEED) \
		$(CARGO) test --locked -p heliograph-router --lib simulation::tests::a_seed_is_played_again -- --exact --nocapture
else
simulate:
	HELIOGRAPH_SIMULATION_FIRST=$(SEED) HELIOGRAPH_SIMULATION_SEEDS=$(SEEDS) \
		$(CARGO) test --locked -p heliograph-router --lib simulation::tests::nothing_is_lost -- --nocapture
endif

.PHONY: assignment
assignment: tools tools-checks ## Show what the assignment engine promises: walks, tables, failing routers, speed, recovery, simulations
	$(CARGO) nextest run --locked -p heliograph-assignment -p heliograph-routing -p heliograph-router -p heliograph-simulation
	$(CARGO) bench --locked -p heliograph-assignment --bench decide
	$(MAKE) bench BENCH="--only recovery"
	$(MAKE) simulate SEED=

.PHONY: lint
lint: fmt-check proto-check clippy doc deny ## Check format, clippy, docs, wire contracts, licences

.PHONY: fmt
fmt: ## Format the code
	$(CARGO) fmt --all

.PHONY: fmt-check
fmt-check:
	$(CARGO) fmt --all --check

.PHONY: clippy
clippy:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

.PHONY: doc
doc: ## Build the code's documentation; a warning is an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

.PHONY: proto-check
proto-check: tools ## Lint proto/ and refuse what breaks readers of BASE (main)
	cd proto && buf lint
	deploy/tools/proto-breaking.sh $(BASE)

.PHONY: deny
deny: tools-checks ## Check the dependencies' licences, bans and sources
	$(CARGO) deny --workspace --all-features --locked check bans licenses sources

##@ Measure

.PHONY: bench
bench: tools ## Measure the message path beside this machine's raw limits (BENCH="--quick", "--only path,start")
	$(CARGO) build --locked --profile bench -p heliograph -p heliograph-bench
	target/release/heliograph-bench $(BENCH)

##@ Build

.PHONY: build
build: ## Build the binary and everything the tests run
	$(CARGO) build --workspace --all-targets

##@ Set up

.PHONY: tools
tools: ## Fetch nats-server, valkey-server and buf into .tools/, pinned and checked
	@$(BOOTSTRAP) tools

.PHONY: tools-checks
tools-checks: ## Fetch cargo-nextest and cargo-deny
	@$(BOOTSTRAP) checks

.PHONY: tools-peers
tools-peers: ## Fetch the providers' SDKs that tests use as peers
	@$(BOOTSTRAP) peers

.PHONY: tools-browser
tools-browser: ## Fetch what drives the browser tests, and Chromium where apt-get can
	@$(BOOTSTRAP) browser

.PHONY: help
help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
