# make serve   builds the daemon and serves a temporary directory on loopback, to try it out
# make test    every check: style, module table, unit tests, and the suite at the socket

PORT ?= 2121
PYTHON ?= /usr/bin/python3
SWIFT := $(shell command -v swift 2>/dev/null)
BINARY := .build/release/portcullis

.PHONY: serve test swift

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
	$(PYTHON) -m pytest Tests/Interop
