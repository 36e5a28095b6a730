# Each target is a script that can also be called by itself, where make is not installed.

.PHONY: run test check lock bench

run: ## the whole site, until Ctrl-C (PORT=8001 make run for another port)
	@scripts/run

test: ## the whole suite: on SQLite alone, then on PostgreSQL with Redis, workers and a browser
	@scripts/test

check: ## style, types, templates, migrations
	@scripts/check

lock: ## compile pyproject.toml into requirements.txt and requirements-dev.txt
	@scripts/lock

bench: ## how quick it is on this machine
	@scripts/bench
