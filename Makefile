# Each target is a script that can also be called by itself, where make is not installed.

.PHONY: run test check lock bench bench-pages bench-places bench-calendar bench-mail chaos words axe html weight headers journeys

run: ## the whole site, until Ctrl-C (PORT=8001 make run for another port)
	@scripts/run

test: ## the whole suite: on SQLite alone, then on PostgreSQL with Redis, workers and a browser
	@scripts/test

axe: ## accessibility of every page in every state: axe-core, widths, large text
	@scripts/test tests/quality/test_accessibility.py

html: ## whether every page is valid HTML, by the Nu checker
	@scripts/test tests/quality/test_html.py

weight: ## what the landing page weighs in a browser
	@scripts/test tests/quality/test_weight.py

headers: ## policies, headers and cookies of every page
	@scripts/test tests/quality/test_headers.py

journeys: ## whole ways through the site in a browser: by keyboard alone, without scripts, as everybody
	@scripts/test tests/journeys

check: ## style, types, templates, migrations
	@scripts/check

lock: ## compile pyproject.toml into requirements.txt and requirements-dev.txt
	@scripts/lock

words: ## bring new texts into the other languages' catalogues, and say which lack words
	@scripts/words

bench: ## how quick it is on this machine
	@scripts/bench

bench-pages: ## landing pages a second, kept and not kept, beside a bare view
	@scripts/bench pages

bench-places: ## 5,000 people for 3,000 places at once: that every promise holds, how quick it is, and with the mails
	@scripts/bench places

bench-calendar: ## invites a second, their share of a mail, and a host's calendar of 1,000 sessions
	@scripts/bench calendars

bench-mail: ## 10,000 mails with invites by one, two and four workers, beside a bare loop; --large: 100,000
	@scripts/bench mailing --mails 10000

chaos: ## 2,000 registrations while workers are killed, Redis is emptied and the mail server is difficult: nothing lost
	@scripts/bench chaos
