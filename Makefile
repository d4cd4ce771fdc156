SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo serve base-smollm2 encoder-minilm test test-fast test-sagemaker test-focus check lock screenshots clean

PYTHON := .venv/bin/python

# An image may set it, and then each of the many processes of a site compiles every module again.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show this list
	@grep -hE '^[a-z%-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: .venv/.stamp static/vendor/.stamp ## Install everything into .venv and static/vendor (nothing outside the folder)

demo: setup $(if $(filter smollm2,$(BASE)),base-smollm2) ## Run the demo of two tenants, then keep the site up; ONCE=1 stops it, BASE=smollm2 is in real English, AWS=standin trains and serves in the SageMaker stand-in
	$(PYTHON) manage.py demo $(if $(ONCE),--once) $(if $(BASE),--base $(BASE)) $(if $(AWS),--aws $(AWS))

serve: setup ## Run the whole site until Ctrl-C
	$(PYTHON) manage.py up

test: setup ## Run all tests, including the browser tests; ARGS="tests/jobs -x" selects some
	$(PYTHON) scripts/browser.py
	$(PYTHON) scripts/peers.py awscli
	$(PYTHON) -m pytest $(or $(ARGS),-n 2 --dist loadfile)

test-fast: setup ## Run the fast tests: no browser, no kills, no trainings
	$(PYTHON) -m pytest -n 2 --dist loadfile -m "not slow" --hypothesis-profile=fast $(ARGS)

test-sagemaker: setup ## Test with the `sagemaker` package, in a separate environment (750 MB, once)
	$(PYTHON) scripts/peers.py sagemaker
	$(PYTHON) -m pytest tests/jobs/backends/check_sagemaker_package.py

test-focus: setup ## Check the cost file with the FOCUS project's validator, in a separate environment (550 MB, once)
	$(PYTHON) scripts/peers.py focus
	$(PYTHON) -m pytest tests/metering/focus/check_with_validator.py

base-smollm2: setup ## Fetch SmolLM2-135M, a base model of real English, into var/base-models (100 MB, once)
	$(PYTHON) -m scripts.base_smollm2

encoder-minilm: setup ## Fetch all-MiniLM-L6-v2, an encoder of English texts, into var/encoders (85 MB, once)
	$(PYTHON) -m scripts.encoder_minilm

check: setup ## Run every static check
	scripts/check.sh

lock: ## Resolve the requirements again
	scripts/lock.sh

bench-%: setup ## Run one benchmark: make bench-engine
	$(PYTHON) -m bench.$*

screenshots: setup ## Retake the screenshots of the documentation
	$(PYTHON) scripts/browser.py
	$(PYTHON) scripts/screenshots.py

clean: ## Remove everything installed or written here, including the embedded database
	rm -rf .venv static/vendor var .mypy_cache .ruff_cache .pytest_cache

.venv/.stamp: scripts/python.sh $(wildcard requirements/*.txt)
	scripts/python.sh
	@touch $@

static/vendor/.stamp: scripts/frontend.sh package-lock.json | .venv/.stamp
	scripts/frontend.sh
	@touch $@
