# The commands of this project. `make help` lists them.

PYTHON ?= python3
PORT ?= 8000
export PORT

VENV := .venv
BIN := $(VENV)/bin
UV_PIN := uv==0.13.9
PURE := deliberation/protocol deliberation/prompts deliberation/trail broker/inference broker/selection broker/gpu_host
# Named by what they installed: with other requirements there is something to do, with the same there is not.
RUNTIME := $(VENV)/installed-$(shell cat requirements.txt | cksum | cut -d' ' -f1)
TESTING := $(VENV)/installed-tests-$(shell cat requirements.txt tests/requirements.txt | cksum | cut -d' ' -f1)

.DEFAULT_GOAL := help
.PHONY: help setup run test test-vllm check bench screenshots clean chromium

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(RUNTIME) ## Make .venv with what the site needs.

run: $(RUNTIME) ## Start the whole site on 127.0.0.1 (PORT=8000). Ctrl-C stops everything.
	@exec $(BIN)/python manage.py up --port $(PORT)

# Hundreds of processes start in it: what Python has compiled is kept, whatever the environment says.
test: $(TESTING) chromium ## Set up what the tests need, and run them.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist worksteal

test-vllm: $(TESTING) ## Run the tests against a real vLLM (installs about 3 GB once, outside of the project).
	@UV_PIN="$(UV_PIN)" sh .ci/vllm > /dev/null
	@$(BIN)/python -m pytest -n 0 -m vllm tests/vllm

check: $(TESTING) ## Lint, types, templates, Django's own checks, missing migrations.
	@echo "ruff" && $(BIN)/ruff check --quiet --output-format concise .
	@echo "mypy" && $(BIN)/mypy --no-error-summary manage.py nsed_web $(PURE)
	@echo "djade" && find . -name '*.html' -path '*templates*' -not -path './$(VENV)/*' | xargs $(BIN)/djade --check --target-version 5.2
	@echo "django" && $(BIN)/python manage.py check --fail-level WARNING
	@echo "django, as deployed" && NSED_PUBLIC_URL=https://example.org $(BIN)/python manage.py check --deploy --fail-level WARNING
	@echo "migrations" && $(BIN)/python manage.py makemigrations --check --dry-run

bench: $(TESTING) ## Measure; prints one JSON line for each row.
	@$(BIN)/python benchmarks/bench.py

screenshots: $(TESTING) chromium ## Take the pictures of docs/screenshots from a real deliberation.
	@$(BIN)/python -m pytest -n 0 -q tests/browser/screenshots.py

clean: ## Remove what was made here: .venv, collected files, caches. The data of the site stays.
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(RUNTIME): requirements.txt
	@PYTHON="$(PYTHON)" VENV="$(VENV)" UV_PIN="$(UV_PIN)" sh .ci/install requirements.txt
	@rm -f $(VENV)/installed-[0-9]* && touch $@

$(TESTING): requirements.txt tests/requirements.txt
	@PYTHON="$(PYTHON)" VENV="$(VENV)" UV_PIN="$(UV_PIN)" sh .ci/install tests/requirements.txt
	@rm -f $(VENV)/installed-* && touch $(RUNTIME) $@

chromium:
	@sh .ci/chromium
