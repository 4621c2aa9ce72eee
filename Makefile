# make serve   builds the daemon and serves a temporary directory on loopback, to try it out
# make test    every check: style, module table, unit tests, a short run of the fuzzer, and the suite
#              at the socket
# make fuzz      lets the fuzzer look for inputs that break a rule, FUZZ_SECONDS for each target
# make sanitize  the unit tests once more, under the address and the thread sanitizer
# make machine   boots Debian's kernel and systemd in a virtual machine with our package, and tests it
#              there; as root
# make bench     measures the release program, beside the peers that are installed; as root, with what
#              Tests/Benchmarks/run --help lists in BENCH
# make docs      builds the documentation, and fails on a broken link and on an undocumented symbol
# make build     the program, with the Swift runtime in it, its manual pages and completions
# make install   puts them, the units and the examples under PREFIX; DESTDIR for packages
# make uninstall takes them away again; a configuration that was changed stays
# make deb       a Debian package of the program that was built, into .build/deb

PORT ?= 2121
PYTHON ?= /usr/bin/python3
FUZZ_SECONDS ?= 600
SWIFT := $(shell command -v swift 2>/dev/null)
BINARY := .build/release/portcullis
# A host that runs the program needs no Swift.
RELEASE := build -c release --product portcullis --static-swift-stdlib

PREFIX ?= /usr/local
bindir ?= $(PREFIX)/bin
sysconfdir ?= /etc
datadir ?= $(PREFIX)/share
mandir ?= $(datadir)/man
docdir ?= $(datadir)/doc/portcullis
unitdir ?= $(PREFIX)/lib/systemd/system
sysusersdir ?= $(PREFIX)/lib/sysusers.d
bashdir ?= $(datadir)/bash-completion/completions
zshdir ?= $(datadir)/zsh/site-functions
fishdir ?= $(datadir)/fish/vendor_completions.d
INSTALL ?= install
MADE := .build/install

UNITS := $(notdir $(wildcard Packaging/systemd/portcullis*))
# What an administrator changes: installed where nothing is, and removed where nothing was changed.
CONFIGURATION := portcullis.conf:Packaging/portcullis.conf pam.d/portcullis:pam.d/portcullis \
	logrotate.d/portcullis:Packaging/logrotate/portcullis
# For programs that somebody may have beside the server, or not.
EXAMPLES := fail2ban/filter.d/portcullis.conf fail2ban/jail.d/portcullis.conf grafana/portcullis.json
# The units name the program and its configuration.
PLACES = sed -e 's|/usr/bin/portcullis|$(bindir)/portcullis|g' \
	-e 's|/etc/portcullis\.conf|$(sysconfdir)/portcullis.conf|g'

.PHONY: serve test machine bench docs fuzz sanitize swift build made install uninstall deb

swift:
	@test -n "$(SWIFT)" || { echo "swift is not in PATH: install Swift 6.3 and add its usr/bin to PATH" >&2; exit 1; }

serve: swift
	.ci/install-packages build
	$(SWIFT) $(RELEASE)
	test -e certs/portcullis.pem || certs/make-certificate.sh
	$(BINARY) demo --port $(PORT) --pam-conf-dir pam.d \
		--certificate $(CURDIR)/certs/portcullis.pem --key $(CURDIR)/certs/portcullis.key

test: swift
	.ci/install-packages test
	.ci/install-sslyze
	.ci/lint
	.ci/imports
	.ci/forbidden
	$(SWIFT) $(RELEASE) --explicit-target-dependency-import-check error
	# The examples, which the suite runs as well.
	$(SWIFT) build -c release --static-swift-stdlib
	.ci/linkage
	.ci/without-secrets $(SWIFT) test
	# The same inputs for the same sources: looking for others is what make fuzz does.
	FUZZ_SEED=1 .ci/without-secrets .ci/fuzz 10
	$(PYTHON) -m pytest Tests/Interop

machine: swift
	.ci/install-packages machine
	$(SWIFT) $(RELEASE)
	$(PYTHON) Tests/Machine/run

bench: swift
	.ci/install-packages bench
	$(SWIFT) $(RELEASE)
	# Sessions that are threads are measured in an example.
	$(SWIFT) build -c release --product VirtualUsers --static-swift-stdlib
	$(PYTHON) Tests/Benchmarks/run $(BENCH)

docs: swift
	.ci/install-packages build
	.ci/docs

fuzz: swift
	.ci/install-packages build
	.ci/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

sanitize: swift
	.ci/install-packages test
	.ci/sanitize address thread

build: swift
	.ci/install-packages build
	$(SWIFT) $(RELEASE)
	$(MAKE) made

# Manual pages and completions are what the program says of itself.
made:
	mkdir -p $(MADE)
	Packaging/man/make-pages $(BINARY) $(MADE) $(sysconfdir)
	set -e; for shell in bash zsh fish; do \
		$(BINARY) --generate-completion-script $$shell >$(MADE)/completion.$$shell; done

# Whoever may write to PREFIX often has no Swift in PATH; the program is built beforehand then.
install:
	@if test -n "$(SWIFT)" && test -z "$(PREBUILT)"; then $(MAKE) build; \
	elif test -x $(BINARY); then $(MAKE) made; \
	else echo "$(BINARY) is missing: run make build first" >&2; exit 1; fi
	$(INSTALL) -d $(addprefix $(DESTDIR),$(bindir) $(mandir)/man1 $(mandir)/man5 $(docdir)/examples \
		$(unitdir) $(sysusersdir) $(bashdir) $(zshdir) $(fishdir) \
		$(sysconfdir)/pam.d $(sysconfdir)/logrotate.d)
	$(INSTALL) -m 0755 $(BINARY) $(DESTDIR)$(bindir)/portcullis
	$(INSTALL) -m 0644 $(MADE)/portcullis.1 $(DESTDIR)$(mandir)/man1/portcullis.1
	$(INSTALL) -m 0644 $(MADE)/portcullis.conf.5 $(DESTDIR)$(mandir)/man5/portcullis.conf.5
	$(INSTALL) -m 0644 $(MADE)/completion.bash $(DESTDIR)$(bashdir)/portcullis
	$(INSTALL) -m 0644 $(MADE)/completion.zsh $(DESTDIR)$(zshdir)/_portcullis
	$(INSTALL) -m 0644 $(MADE)/completion.fish $(DESTDIR)$(fishdir)/portcullis.fish
	$(INSTALL) -m 0644 Packaging/sysusers.d/portcullis.conf $(DESTDIR)$(sysusersdir)/portcullis.conf
	$(INSTALL) -m 0644 README.md SECURITY.md $(DESTDIR)$(docdir)
	$(INSTALL) -m 0644 Packaging/portcullis.conf $(DESTDIR)$(docdir)/examples/portcullis.conf
	set -e; for example in $(EXAMPLES); do \
		$(INSTALL) -D -m 0644 Packaging/$$example $(DESTDIR)$(docdir)/examples/$$example; done
	set -e; for unit in $(UNITS); do \
		$(PLACES) Packaging/systemd/$$unit >$(MADE)/$$unit; \
		$(INSTALL) -m 0644 $(MADE)/$$unit $(DESTDIR)$(unitdir)/$$unit; done
	set -e; for pair in $(CONFIGURATION); do \
		place=$(DESTDIR)$(sysconfdir)/$${pair%%:*}; \
		test -e $$place || $(INSTALL) -m 0644 $${pair#*:} $$place; done

uninstall:
	rm -f $(addprefix $(DESTDIR),$(bindir)/portcullis $(mandir)/man1/portcullis.1 \
		$(mandir)/man5/portcullis.conf.5 $(bashdir)/portcullis $(zshdir)/_portcullis \
		$(fishdir)/portcullis.fish $(sysusersdir)/portcullis.conf $(addprefix $(unitdir)/,$(UNITS)))
	rm -rf $(DESTDIR)$(docdir)
	@for pair in $(CONFIGURATION); do \
		place=$(DESTDIR)$(sysconfdir)/$${pair%%:*}; \
		if cmp -s $${pair#*:} $$place; then rm -f $$place; \
		elif test -e $$place; then echo "$$place was changed, and stays"; fi; done

deb:
	Packaging/make-deb $(BINARY) .build/deb
