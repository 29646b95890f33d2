# make up        set up what is missing and run the hotline (the demo, where there is no hotline.toml)
# make test      set up what is missing and run every check and test
# make languages a table of the languages; fails when one lacks something
# make bench     our speed against a peer's, measured in the same run
# make fresh     make test in a new clone, in a path with a space in it
# make bare     `make up` on bare Debian 12 and 13, as root and as an ordinary user
# make clean     take the set-up away; var/ and hotline.toml stay
#
# Every path is relative, so that the checkout may lie anywhere. What was set up is remembered by the hash of what it
# was set up from: a second run asks no registry.

PYTHON ?= python3
WORKERS ?= 5
VENV := .venv
RUN := $(VENV)/bin/python -m
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
HASH := $(shell cat setup.cfg pyproject.toml constraints.txt | sha256sum | cut -c1-16)
INSTALLED := $(VENV)/.installed-$(HASH)
INSTALLED_FOR_TESTS := $(VENV)/.installed-for-tests-$(HASH)

# A house starts five processes and tests have several workers: none should compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up setup test check languages bench fresh bare clean
.DEFAULT_GOAL := up

up: $(INSTALLED)
	@$(RUN) hotline setup
	@exec $(RUN) hotline up

setup: $(INSTALLED_FOR_TESTS)
	@$(RUN) hotline setup --tests

# Five also on two cores: three make calls, which mostly wait, two do the rest behind them (tests/sharing.py). What a busy
# machine lost or did too late (sound on its way to a test's phone) is looked at once more, and nothing else is.
test: setup
	$(RUN) pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --reruns 1 --only-rerun PhoneFailed --only-rerun 'it did not happen' -v -rs --no-header

check: setup
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(VENV)/bin/python -c "from importlinter.cli import lint_imports_command as lint; lint()"
	@$(RUN) hotline languages

languages: $(INSTALLED)
	@$(RUN) hotline languages

bench: setup
	@$(RUN) pip install -q --disable-pip-version-check --use-pep517 -c constraints.txt -e '.[test,bench]'
	$(RUN) benchmarks

fresh:
	@folder="$$(mktemp -d)/a fresh clone" && git clone -q . "$$folder" && $(MAKE) -C "$$folder" test; \
	result=$$?; rm -rf "$$folder"; exit $$result

# A newcomer's first minutes on a bare Debian, as root and as a user with sudo; needs root and mmdebstrap.
bare: $(INSTALLED)
	@for suite in bookworm trixie; do for who in root user; do \
	  PYTHON=$(CURDIR)/$(VENV)/bin/python tests/bare_debian.sh $$suite $$who || exit 1; done; done

clean:
	rm -rf $(VENV) web/console-scripts/node_modules web/static/vendor *.egg-info .mypy_cache .ruff_cache .pytest_cache

# ensurepip is what Debian's python3 lacks without its package python3-venv.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Set PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Installing python3-venv …"; \
		{ $(SUDO) apt-get update -qq && \
		  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; } >/dev/null || \
		{ echo "python3-venv is missing and could not be installed. Run as root: apt-get install python3-venv"; exit 1; }; }
	@echo "Making a Python environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(INSTALLED): $(VENV)/bin/python
	@[ -e $(INSTALLED_FOR_TESTS) ] || { echo "Installing Python packages …"; \
		$(RUN) pip install -q --disable-pip-version-check --use-pep517 -c constraints.txt -e .; }
	@rm -f $(VENV)/.installed-[0-9a-f]*; touch $@

$(INSTALLED_FOR_TESTS): $(VENV)/bin/python
	@echo "Installing Python packages, those for tests too …"
	@$(RUN) pip install -q --disable-pip-version-check --use-pep517 -c constraints.txt -e '.[test]'
	@rm -f $(VENV)/.installed-*; touch $@
