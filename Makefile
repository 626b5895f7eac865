# The commands of this repository; `make` alone lists them. What they do is in .ci/ and end2end/stand.
.DEFAULT_GOAL := help
.PHONY: help run test dev demo bench soak reproduce release fmt check prepare install e2e clean

# The query macros are checked against .sqlx/; only `make prepare` asks a database.
export SQLX_OFFLINE := true

help: ## Lists the commands
	@sed -nE 's/^([a-z0-9]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

run: ## Installs, builds and starts everything, and prints the addresses; Ctrl-C stops it
	@exec .ci/stand.sh run

test: ## Everything CI checks
	@exec .ci/test.sh

dev: ## Like run, and builds and restarts after every change
	@exec .ci/stand.sh dev

demo: ## Like run, with an account that has a past of 60 days; prints how to sign in
	@exec .ci/stand.sh demo

bench: ## Measures a release build; ARGS="pages feed replay usage start sizes" picks some
	@exec .ci/stand.sh bench $(ARGS)

soak: ## What takes long: Lighthouse over every page by both presets; ARGS="lighthouse" picks a part
	@exec .ci/soak.sh $(ARGS)

reproduce: ## Tries what first users ran into again, against `make run` in another terminal
	@.ci/install.sh test
	@cd end2end && node_modules/node/bin/node --disable-warning=ExperimentalWarning reproductions/run.ts

release: ## Builds what is shipped into target/dist: program, debug information, site, list of packages
	@exec .ci/release.sh

fmt: ## Formats the code
	@cargo fmt --all

check: ## The quick part of test: format, lints, .sqlx/
	@exec .ci/test.sh format lints queries

prepare: ## Writes .sqlx/ anew after a change of a query or a migration
	@exec .ci/prepare.sh

e2e: ## The browser tests alone; ARGS="..." goes to Playwright
	@.ci/install.sh test
	@.ci/test.sh browser

install: ## Installs what run and test need
	@.ci/install.sh run && .ci/install.sh test

clean: ## Stops the databases and removes what was built or stored
	@.ci/postgres.sh stop run; .ci/postgres.sh stop test
	@rm -rf target .data end2end/node_modules end2end/test-results end2end/playwright-report
