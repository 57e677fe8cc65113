# SPDX-License-Identifier: Apache-2.0
# A door for people: meson does the work. `make run` shows nook; `make test` runs every test.
.DEFAULT_GOAL := all
B ?= build

.PHONY: all deps deps-build deps-test deps-engines deps-vm run test test-engines test-vm check bench format install clean

$(B)/build.ninja: | deps-build
	meson setup $(B) >/dev/null

all: $(B)/build.ninja
	@meson setup --reconfigure $(B) >/dev/null
	@ninja -C $(B) --quiet

# Install what packages.txt names and this machine lacks.
deps:
	@tools/deps

deps-build:
	@tools/deps build run

deps-test:
	@tools/deps build run test

deps-engines:
	@tools/deps build run test engines

deps-vm:
	@tools/deps build run test vm

# A container of the machine's own files that shows what it is.
run: deps-build
	@$(MAKE) --no-print-directory all
	@tools/demo $(B)/nook

# With guests of other kernels in QEMU, as root; where what they need can't be had, their tests are skipped.
test: deps-test
	@[ "$$(id -u)" != 0 ] || tools/deps vm || echo "make test: without these, tests on other kernels are skipped"
	@tools/test

# Debian's other kernels, in QEMU: all that is of use there, which takes half an hour under emulation.
test-vm: deps-vm
	@NOOK_VM=full tools/test vm

# Podman, Buildah, containerd and Docker with nook-oci: a minute, and half a gigabyte of packages.
test-engines: deps-engines
	@tools/test engines

# The quick part: a minute or two.
check: deps-test
	@tools/test --quick

# nook against the same kernel work in a bare program, and against other programs that start containers. As root.
bench:
	@tools/deps build run bench
	@$(MAKE) --no-print-directory all
	@bench/bench.py --nook $(B)/nook --build $(B)/bench
	@bench/ns_bench.py --nook $(B)/nook --build $(B)/bench
	@bench/net_bench.py --nook $(B)/nook --build $(B)/bench
	@bench/oci_bench.py --nook-oci $(B)/nook-oci --build $(B)/bench

format: deps-test
	clang-format -i $$(find include src cli oci examples bench tests -name '*.[ch]' 2>/dev/null)

install: all
	meson install -C $(B)

clean:
	rm -rf build build-*
