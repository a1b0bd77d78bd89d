# From a clean clone each target makes its own environment.
#   PYTHON  the interpreter (default python3)     VENV  the environment's folder (default .venv)

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# A process for each core: with more, real calls among the tests wait for their turn where the machine is a slow one.
WORKERS ?= $(shell getconf _NPROCESSORS_ONLN)
# The suite's second interpreter, where it is found.
PYTHON313 ?= $(shell for p in python3.13 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python3.13; do \
	$$p -c '' 2>/dev/null && echo $$p && break; done)

export PYTHONPYCACHEPREFIX = $(abspath $(VENV))/pycache
# Where this is set, each process of the suite compiles anew what it imports: 1.2 of its 1.9 seconds.
unexport PYTHONDONTWRITEBYTECODE
export MYPY_CACHE_DIR = $(VENV)/mypy
export RUFF_CACHE_DIR = $(VENV)/ruff
export HYPOTHESIS_STORAGE_DIRECTORY = $(abspath $(VENV))/hypothesis
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# The CalDAV library's HTTP client would overwrite urllib3, which twilio's uses; built so, the two live side by side.
export URLLIB3_NO_OVERRIDE = 1
export PIP_NO_BINARY = urllib3-future

# Two things at once, each with its output in one piece where make can do that (since 4.0).
BOTH = $(MAKE) -j2 $(if $(filter output-sync,$(.FEATURES)),-O)

.PHONY: run test ready suite313 ready313 installed check code files suite bench soak clean

run: $(VENV)/run.done
	@$(BIN)/phone-bridge serve

test: check suite

# The environments of both interpreters, before anything is tested: each is installed with one core.
ready:
	@$(BOTH) $(VENV)/check.done ready313

installed: $(VENV)/test.done

# The suite once more on 3.13; nothing where that is not found, or was what it ran on.
suite313: AIM = suite
ready313: AIM = installed
suite313 ready313:
ifneq ($(PYTHON313),)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] == (3, 13))' || exit 0; \
	$(MAKE) $(AIM) PYTHON=$(PYTHON313) VENV=$(VENV)/3.13
else
	@echo "== no Python 3.13 was found: the suite ran on one version"
endif

check: $(VENV)/check.done
	@$(BOTH) code files $(VENV)/read.done

# Each of these two has enough with one core.
code:
	$(BIN)/ruff check phone_bridge twiml tests
	$(BIN)/ruff format --check phone_bridge twiml tests
	$(BIN)/mypy
	$(BIN)/python -m tests.infra.audit

files:
	$(BIN)/pytest -q tests/test_layers.py tests/infra

# What pytest makes of the tests' asserts is kept for the suite's processes, each of which would make all of it anew.
$(VENV)/read.done: $(VENV)/test.done
	@$(BIN)/pytest --collect-only -q tests/[a-c]*/ >/dev/null 2>&1 & \
	$(BIN)/pytest --collect-only -q tests/[d-h]*/ tests/[j-z]*/ tests/test_*.py >/dev/null 2>&1; wait
	@touch $@

# What is in infra/ was looked at by check already, whose tools the suite's environments do not have.
suite: $(VENV)/test.done $(VENV)/read.done
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal --ignore=tests/infra

bench: $(VENV)/test.done
	$(BIN)/python -m tests.benchmarks

# SOAK_MINUTES=… for longer than three; the fuzzers look for as long as they do with their long profile.
soak: $(VENV)/test.done
	$(BIN)/python -m tests.soak
	HYPOTHESIS_PROFILE=long $(BIN)/pytest -q tests/fuzz

clean:
	rm -rf $(VENV)

$(VENV)/run.done: pyproject.toml
	$(PYTHON) -m venv $(VENV) && echo '*' > $(VENV)/.gitignore
	$(BIN)/pip install -q -e '.[speech]'
	@touch $@

$(VENV)/test.done: pyproject.toml
	$(PYTHON) -m venv $(VENV) && echo '*' > $(VENV)/.gitignore
	$(BIN)/pip install -q -e '.[test]'
	@touch $@ $(VENV)/run.done

$(VENV)/check.done: pyproject.toml
	$(PYTHON) -m venv $(VENV) && echo '*' > $(VENV)/.gitignore
	$(BIN)/pip install -q -e '.[infra]'
	@touch $@ $(VENV)/test.done $(VENV)/run.done
