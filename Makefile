# Everything from a fresh clone: `make run` shows the machine at work, `make test` checks all of it.
# Needed: Node.js 20 or newer, make, a C compiler, and apt for the Debian packages that are unpacked into .private/.

NODE ?= node
# Unpacked privately, not installed: the CPU, and the guest that everybody has.
PACKAGES = libunicorn2 busybox-static
# For the comparisons: the other emulator, and a second C library.
TEST_PACKAGES = musl-dev

.PHONY: help run test test-browser web web-files conformance bench bench-cpu guests setup build lint format clean distclean tools

help:
	@echo "make run          builds everything and shows clone2 and busybox running"
	@echo "make test         all checks and tests"
	@echo "make test-browser runs those in headless Chromium alone"
	@echo "make web          serves a page with the machine in it on 127.0.0.1"
	@echo "make conformance  runs the conformance programs, with ARGS=--native on Linux too"
	@echo "make bench        measures against qemu-user and the bare machine"
	@echo "make bench-cpu    compares the engines on kernels and programs, with ARGS=--quick in 4 minutes"
	@echo "make fuzz-cpu     random instructions on this processor and on the wasm engine, with ARGS=\"--count 5000000 --seed 1\""
	@echo "make guests       builds the guest programs"
	@echo "make setup        fetches and builds what the rest needs"
	@echo "make lint         prettier, eslint and the type checker"
	@echo "make format       lets prettier rewrite the sources"
	@echo "make clean        removes what was built; make distclean also what was fetched"

run: build
	@$(NODE) scripts/main-job.mjs

test: build
	@$(NODE) scripts/setup-debian.mjs $(TEST_PACKAGES) || echo "setup: going on without $(TEST_PACKAGES); the tests that need them are skipped"
	@$(NODE) scripts/setup-chromium.mjs || echo "setup: going on without Chromium; the tests in a browser are skipped"
	@$(NODE) scripts/build-web.mjs
	@$(NODE) scripts/run-tests.mjs

test-browser: web-files
	@$(NODE) scripts/setup-chromium.mjs
	@npx vitest run tests/browser

web: build
	@$(NODE) scripts/build-web.mjs --serve $(PORT)

web-files: build
	@$(NODE) scripts/build-web.mjs

conformance: build
	@$(NODE) bin/trapgate conformance --known-failures tests/conformance/known-failures.txt $(ARGS) build/guests/conformance
	@$(NODE) scripts/conformance-summary.mjs

bench: build
	@$(NODE) bench/run.mjs $(ARGS)

bench-cpu: build
	@$(NODE) bench/cpu.mjs $(ARGS)

fuzz-cpu: node_modules/.package-lock.json
	@$(NODE) scripts/fuzz-cpu.mjs $(ARGS)

build: guests
	@$(NODE) scripts/build-bundle.mjs

guests: setup
	@$(NODE) scripts/build-guests.mjs

setup: tools node_modules/.package-lock.json
	@$(NODE) scripts/setup-debian.mjs $(PACKAGES)
	@$(NODE) scripts/build-addon.mjs

node_modules/.package-lock.json: package-lock.json
	@echo "setup: installing the npm packages of package-lock.json"
	@npm ci --no-audit --no-fund --loglevel=error || \
	  { echo "setup: npm ci failed; its message is above, and it needs the npm registry or a filled npm cache" >&2; exit 1; }
	@touch $@

tools:
	@command -v $(NODE) >/dev/null || { echo "setup: Node.js 20 or newer is needed (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	@$(NODE) -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || \
	  { echo "setup: Node.js 20 or newer is needed; this is $$($(NODE) --version)" >&2; exit 1; }
	@command -v npm >/dev/null || { echo "setup: npm is needed (Debian: apt-get install npm)" >&2; exit 1; }
	@command -v $${CC:-cc} >/dev/null || command -v gcc >/dev/null || \
	  { echo "setup: a C compiler is needed (Debian: apt-get install gcc libc6-dev)" >&2; exit 1; }

lint: node_modules/.package-lock.json
	@npx prettier --check --log-level warn .
	@npx eslint .
	@npx tsc --noEmit

format: node_modules/.package-lock.json
	@npx prettier --write --log-level warn .

clean:
	rm -rf build bin

distclean: clean
	rm -rf node_modules .private
