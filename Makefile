# make serve   builds the daemon and serves a temporary directory on loopback, to try it out
# make test    every check: style, module table, unit tests, a short run of the fuzzer, and the suite
#              at the socket
# make fuzz      lets the fuzzer look for inputs that break a rule, FUZZ_SECONDS for each target
# make sanitize  the unit tests once more, under the address and the thread sanitizer

PORT ?= 2121
PYTHON ?= /usr/bin/python3
FUZZ_SECONDS ?= 600
SWIFT := $(shell command -v swift 2>/dev/null)
BINARY := .build/release/portcullis

.PHONY: serve test fuzz sanitize swift

swift:
	@test -n "$(SWIFT)" || { echo "swift is not in PATH: install Swift 6.3 and add its usr/bin to PATH" >&2; exit 1; }

serve: swift
	.ci/install-packages build
	$(SWIFT) build -c release --product portcullis
	test -e certs/portcullis.pem || certs/make-certificate.sh
	$(BINARY) demo --port $(PORT) --pam-conf-dir pam.d \
		--certificate $(CURDIR)/certs/portcullis.pem --key $(CURDIR)/certs/portcullis.key

test: swift
	.ci/install-packages test
	.ci/install-sslyze
	.ci/lint
	.ci/imports
	.ci/forbidden
	$(SWIFT) build -c release --product portcullis --explicit-target-dependency-import-check error
	.ci/linkage
	$(SWIFT) test
	.ci/fuzz 10
	$(PYTHON) -m pytest Tests/Interop

fuzz: swift
	.ci/install-packages build
	.ci/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

sanitize: swift
	.ci/install-packages test
	.ci/sanitize address thread
