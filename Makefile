# What can be typed here. Nothing has to be prepared: what is needed is built, what cannot be built is named.

.PHONY: help demo demo-down test test-fast test-pods properties fuzz bench lint charts tools packages needs clean
.DEFAULT_GOAL := help

CARGO_TEST := cargo test --features test-fakes

help: ## say what can be typed
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## install everything on a cluster of this machine, and look at it
	@tests/sandbox/demo up

demo-down: ## take the demo down
	@tests/sandbox/demo down

test: needs lint charts ## everything, on real clusters of this machine, where no other can be reached, with pods that run if they can
	$(CARGO_TEST) --lib --bins --tests --no-run
	tests/alone $(CARGO_TEST) --offline --lib --bins
	@options=--test-threads=3; if tests/sandbox/needs pods; then \
	options="$$options --include-ignored"; tests/sandbox/sandbox tools --pods >/dev/null || exit; \
	else echo "make test: so no pods are run" >&2; fi; \
	set -x; tests/alone $(CARGO_TEST) --offline --test '*' -- $$options

test-pods: ## the same for each family of charts, all pods run: as root, with bubblewrap and nftables
	@tests/sandbox/needs pods
	@tests/sandbox/sandbox tools --pods >/dev/null
	OKEMON_TEST_PODS=yes tests/alone $(CARGO_TEST) --offline --test e2e -- --include-ignored --test-threads=3 pods:: kubelet:: matrix:: script:: taken::

test-fast: lint ## what needs no cluster
	python3 -m unittest discover -q -t tests/sandbox -s tests/sandbox/pods/tests
	$(CARGO_TEST) --lib --bins --test cli --test docs --test processes --test structure --test fuzz

properties: needs tools ## try 100,000 random configurations on Helm's own parsers, 3 and 4
	OKEMON_CASES=100000 $(CARGO_TEST) --release --test properties -- --nocapture

fuzz: ## break what is read from files, tools and servers, for 15 minutes
	$(CARGO_TEST) --test fuzz --no-run
	ulimit -v 4194304 && OKEMON_FUZZ_SECONDS=$${OKEMON_FUZZ_SECONDS:-900} $(CARGO_TEST) --test fuzz -- --nocapture

bench: needs tools ## time an install against the same by hand, and print the figures
	cargo build --release
	@tests/bench/run

lint: ## warnings are errors
	cargo fmt --check
	cargo clippy --all-targets --features test-fakes --quiet -- -D warnings
	@if command -v shellcheck >/dev/null; then git grep -lzE '^#!.*[/ ](ba)?sh$$' -- ':!*.tpl' | xargs -0 shellcheck; fi

charts: tools ## compare the stand-in charts with what the real ones were seen to render
	@tests/charts/package target/charts --crds "$$(tests/sandbox/sandbox tools | awk '$$1 == "crds" { print $$2 }')" >target/charts.log
	@tests/charts/record target/charts

tools: needs ## build the tools of the sandbox (about 15 minutes, once)
	@tests/sandbox/sandbox tools

packages: ## install what pods that run need, and shellcheck: on Debian, as root
	apt-get update --quiet
	DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends bubblewrap iproute2 nftables shellcheck

needs: # name what this machine lacks, before anything is begun
	@tests/sandbox/needs

clean: demo-down ## remove what was built, the tools excepted
	cargo clean
	rm -rf .sandbox
