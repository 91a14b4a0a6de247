# make help lists the targets.
SWIFT ?= swift
# The package manager writes the compiler's arguments in the order of a hash table. With another seed in each process they had
# another order, and everything was compiled anew.
BUILD := SWIFT_DETERMINISTIC_HASHING=1 $(SWIFT) build
PREFIX ?= /usr/local
DESTDIR ?=
CORPUS ?=
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
RELEASE := .build/release/synscope
INSTALLED := .build-static/release/synscope
# Every release build has the same flags, the check of imports too, so that none has another's modules compiled anew.
# Scripts/proof/check-hardening.py looks at what they did.
RELEASE_FLAGS := --explicit-target-dependency-import-check error -Xcc -fstack-protector-strong -Xswiftc -use-ld=lld -Xlinker -z -Xlinker now \
  -Xlinker -T -Xlinker $(CURDIR)/Scripts/setup/read-only.ld

.PHONY: pages page-hashes all demo test build-tests install uninstall static format lint clean help dependencies golden captures record lab incidents paths live simulate compare-worlds diagnose-worlds mutations checks records fuzz soak conformance outside docs compare-outputs annotations compare-groups bench bench-compressed instructions hardening bench-live

all: dependencies ## build the release binary
	$(BUILD) -c release --product synscope $(RELEASE_FLAGS)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dependencies: ## install the headers of libpcap, zlib and libseccomp, and pkg-config, where they are missing
	@Scripts/setup/dependencies.sh $(SUDO)

demo: all ## build, and report on a capture of this project
	@echo
	$(RELEASE) Captures/incident.pcap
	@echo
	$(RELEASE) draw Captures/syn-lost.pcap

test: dependencies ## build and run all tests
	@Scripts/setup/test-dependencies.sh $(SUDO)
	$(BUILD) --build-tests
	SWIFT_BACKTRACE=enable=no $(SWIFT) test --skip-build --disable-xctest

build-tests: dependencies ## build the fuzzers, the example package and all tests, without running them
	$(MAKE) fuzz FUZZ_SECONDS=0
	cd Tests/Example && $(BUILD) --build-tests --scratch-path ../../.build/example
	$(BUILD) --build-tests

# Without symbols and debugging information, and without a path that libraries are looked for on.
static: dependencies
	$(BUILD) -c release --product synscope --static-swift-stdlib $(RELEASE_FLAGS) -Xlinker -s \
	  --disable-local-rpath -Xswiftc -no-toolchain-stdlib-rpath --scratch-path .build-static
	Scripts/proof/check-hardening.py $(INSTALLED) .build-static/release

hardening: all ## that the release build cannot be turned against its user by the usual means: readelf's word on it
	Scripts/proof/test-hardening.py
	Scripts/proof/check-hardening.py --with-runpath $(RELEASE) .build/release

install: static ## install a static binary under PREFIX, manual pages, shell completions and a systemd unit
	install -Dm755 $(INSTALLED) $(DESTDIR)$(PREFIX)/bin/synscope
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local/bin|$(PREFIX)/bin|' docs/synscope.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/synscope.service
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	  $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(INSTALLED) --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/synscope
	$(INSTALLED) --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_synscope
	$(INSTALLED) --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/synscope.fish
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2> /dev/null || date +%s) \
	  $(INSTALLED) generate-manual $(DESTDIR)$(PREFIX)/share/man/man1

uninstall: ## remove what make install put under PREFIX
	rm -f $(DESTDIR)$(PREFIX)/bin/synscope $(DESTDIR)$(PREFIX)/lib/systemd/system/synscope.service \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions/synscope $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_synscope \
	  $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/synscope.fish \
	  $(DESTDIR)$(PREFIX)/share/man/man1/synscope.1 $(DESTDIR)$(PREFIX)/share/man/man1/synscope-*.1

format: ## format the sources
	$(SWIFT) format --in-place --recursive Sources Tests Package.swift

lint: ## check the format, that the rows of mutations can be used, and the scripts that run them and compare outputs
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift
	@! grep -rnE --include='*.swift' '^.{121,}' Sources Tests | grep -E '^[^:]+:[0-9]+: *//'
	Scripts/proof/mutate.py --check
	Scripts/proof/test-mutate.py
	Scripts/proof/test-compare-outputs.py
	Scripts/proof/public-comments.py

captures: dependencies ## make the captures of Captures/ that have a scenario anew
	$(BUILD) --product synscope
	set -e; for scenario in Captures/*.pkt; do .build/debug/synscope craft "$$scenario" -w "$${scenario%.pkt}.pcap"; done

golden: captures ## make the expected results anew: look at the difference before you commit it
	Scripts/proof/golden.sh .build/debug/synscope
	SYNSCOPE_UPDATE_GOLDEN=1 $(SWIFT) test --filter "TransitionTableTests|ClassifierTableTests"

record: ## record the kernel's own handshakes into Captures/ (root)
	Scripts/proof/record-captures.sh Captures

CONNECTIONS ?= 200
lab: all ## real connections of this kernel through a lossy relay, compared with its counters (root): make lab CONNECTIONS=200
	@Scripts/setup/lab-dependencies.sh $(SUDO)
	python3 Tests/Lab/lab.py --synscope $(CURDIR)/$(RELEASE) --connections $(CONNECTIONS)

DRAWS ?= 10
KINDS ?=
incidents: all ## real incidents of this kernel, and what diagnose says of them (root): make incidents DRAWS=10 [KINDS="port-closed healthy"]
	@Scripts/setup/lab-dependencies.sh $(SUDO)
	python3 Tests/Lab/incidents.py --synscope $(CURDIR)/$(RELEASE) --draws $(DRAWS) $(if $(KINDS),--kind $(KINDS))

KILLS ?= 10
live: all ## watch on real connections beside tcpdump: signals, loss, rights, the screen, the service (root): make live KILLS=10
	@Scripts/setup/lab-dependencies.sh $(SUDO)
	python3 Tests/Lab/live.py --synscope $(CURDIR)/$(RELEASE) --kills $(KILLS)

CASES ?=
paths: all ## real connections captured at both ends of a relay, and what compare says of them (root): make paths CONNECTIONS=380
	@Scripts/setup/lab-dependencies.sh $(SUDO)
	python3 Tests/Lab/paths.py --synscope $(CURDIR)/$(RELEASE) --connections $(CONNECTIONS) $(foreach case,$(CASES),--case $(case))

SECONDS ?= 1800
soak: all ## watch under flood, slow readers, rotation, flaps, SIGHUP and a full disk, for long (root): make soak SECONDS=1800
	@Scripts/setup/lab-dependencies.sh $(SUDO)
	python3 Tests/Lab/soak.py --synscope $(CURDIR)/$(RELEASE) --seconds $(SECONDS)

SEEDS ?= 100000
FROM ?= 1
simulate: dependencies ## simulated connections of which the truth is known: make simulate SEEDS=100000 [FROM=1]
	$(BUILD) -c release --product simulate $(RELEASE_FLAGS)
	.build/release/simulate $(SEEDS) $(FROM)

PATHS ?= 3600
compare-worlds: dependencies ## simulated paths with two or three capture points: make compare-worlds PATHS=3600 [FROM=1]
	$(BUILD) -c release --product simulate $(RELEASE_FLAGS)
	.build/release/simulate $(PATHS) $(FROM) --paths

WORLDS ?= 20
diagnose-worlds: dependencies ## simulated traffic with one incident each, and without: make diagnose-worlds WORLDS=300 (of each of 34 kinds)
	$(BUILD) -c release --product simulate $(RELEASE_FLAGS)
	.build/release/simulate $(WORLDS) $(FROM) --incidents

TENTH ?=
mutations: dependencies ## break the sources in many small ways and see that the tests notice: make mutations [TENTH=today, 0 to 9]
	Scripts/proof/mutate.py $(if $(TENTH),--tenth $(TENTH))

checks: all ## synscope check as a pipeline runs it, its reports read by other parsers, and the example package (root for live ones)
	Tests/Checks/run.sh $(CURDIR)/$(RELEASE)
	cd Tests/Example && $(BUILD) --build-tests --scratch-path ../../.build/example \
	  && SWIFT_BACKTRACE=enable=no $(SWIFT) test --skip-build --scratch-path ../../.build/example --disable-xctest

records: all ## load what it writes with DuckDB, Polars, pyarrow and jq, as docs/records.md does (CORPUS=folder for more captures)
	Tests/Records/run.sh $(CURDIR)/$(RELEASE) $(if $(CORPUS),Captures/*.pcap \
	  $$(find "$(CORPUS)" -name '*.pcap' -o -name '*.pcapng' -o -name '*.cap'))

outside: dependencies ## build and run a package of another project against each library product
	Scripts/proof/outside-packages.sh $(SWIFT)

docs: dependencies ## the libraries' documentation as static pages in .build/docs; warnings fail
	Scripts/proof/docs.sh $(SWIFT)

conformance: all ## compare with an independent reader's answers: make conformance CORPUS=folder
	@if [ -d "$(CORPUS)" ]; then Scripts/proof/conformance.py "$(CORPUS)" --synscope $(RELEASE); \
	else echo "conformance: skipped, there is no corpus (CORPUS=$(CORPUS))"; fi

BASE ?=
WORLDS ?= 10000
compare-outputs: all ## outputs beside another commit's: make compare-outputs BASE=commit [CORPUS=] [WORLDS=] [TENTH=]
	$(BUILD) -c release --product simulate $(RELEASE_FLAGS)
	Scripts/proof/compare-outputs.py $(RELEASE) .build/release/simulate --worlds $(WORLDS) $(if $(BASE),--base $(BASE)) \
	  $(if $(CORPUS),--corpus "$(CORPUS)") $(if $(TENTH),--tenth $(TENTH))

pages: all ## pages of reports in a browser: what a reader does with them, accessibility, figures beside DuckDB's (FLOOD=SYNs; PICTURES=folder makes those of docs/ anew)
	$(BUILD) -c release --product make-workload $(RELEASE_FLAGS)
	Tests/Pages/run.sh $(CURDIR)/$(RELEASE) $(CURDIR)/.build/release/make-workload $(if $(FLOOD),--flood $(FLOOD)) \
	  $(if $(PICTURES),--pictures $(PICTURES))

page-hashes: ## write the hashes of the page's style sheet and script into PageParts.swift, after either was changed
	Scripts/setup/page-hashes.sh

annotations: all ## annotated copies beside their captures, as tshark reads both (CORPUS=folder for more of them)
	@command -v tshark > /dev/null || $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends tshark > /dev/null
	Scripts/proof/annotate.py $(CURDIR)/$(RELEASE) Captures/*.pcap \
	  $(if $(CORPUS),$$(find "$(CORPUS)" -name '*.pcap' -o -name '*.pcapng' -o -name '*.cap'))

compare-groups: all ## group beside DuckDB over the records of the same captures (pip install duckdb; CORPUS=folder for more of them)
	Scripts/proof/group-duckdb.py $(CURDIR)/$(RELEASE) Captures/*.pcap \
	  $(if $(CORPUS),$$(find "$(CORPUS)" -name '*.pcap' -o -name '*.pcapng' -o -name '*.cap'))

ROUNDS ?= 5
bench: static ## what make install installs, beside its floors and peers, kept in docs/benchmarks (half an hour): make bench ROUNDS=5
	$(BUILD) -c release --product make-workload $(RELEASE_FLAGS)
	Scripts/bench/bench.py $(INSTALLED) .build/release/make-workload --rounds $(ROUNDS) --keep docs/benchmarks

instructions: all ## instructions, allocations and retains a packet, counted by valgrind, against their budgets
	@command -v valgrind > /dev/null || $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends valgrind > /dev/null
	$(BUILD) -c release --product make-workload $(RELEASE_FLAGS)
	Scripts/bench/instructions.py $(RELEASE) .build/release/make-workload

bench-live: all ## frames dropped by tcpdump and by watch at the highest rate that tcpreplay sends (root, tcpreplay, tcpdump)
	Scripts/bench/bench-live.py $(CURDIR)/$(RELEASE)

bench-compressed: all ## gzip, zstd and lz4 input beside a bare loop over the same library
	Scripts/bench/bench-compressed.sh $(RELEASE)

FUZZ_SECONDS ?= 60
fuzz: dependencies ## captures, frames, expressions, rules, scenarios and HTTP, mutated, with address sanitizer: make fuzz FUZZ_SECONDS=60 (each; 0 to build only)
	Scripts/proof/fuzz.sh $(FUZZ_SECONDS)

clean: ## remove what was built
	rm -rf .build .build-static .build-fuzz
