# SPDX-License-Identifier: Apache-2.0
# A door for people: meson does the work. `make run` shows nook; `make test` runs every test.
.DEFAULT_GOAL := all
B ?= build

.PHONY: all deps deps-build run test check bench format install clean

$(B)/build.ninja: | deps-build
	meson setup $(B) >/dev/null

all: $(B)/build.ninja
	@meson setup --reconfigure $(B) >/dev/null
	@ninja -C $(B) --quiet

deps-build:
	@tools/deps build run

deps:
	@tools/deps

clean:
	rm -rf build build-*
