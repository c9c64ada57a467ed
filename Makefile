# SPDX-License-Identifier: GPL-2.0
#
# pkram: everything is built and tested from here; `make help` lists the targets.
# The work is done by scripts/, which install the packages they need.

KVER ?= $(shell uname -r)
KERNELS ?= 6.1 6.12 7
TESTS ?= *
JOBS ?= 2
PREFIX ?= /usr

.DEFAULT_GOAL := help
.PHONY: help modules userspace qemu demo test test-unit test-guard test-userspace test-install \
	test-vm test-qemu test-deb test-debug check bench deb install install-modules install-userspace \
	install-dkms clean

help:
	@echo 'make demo                 see a guest live through kexecs of its host, in a VM'
	@echo 'make test                 all tests, on all kernels; takes a while'
	@echo 'make test-unit            tests of the parts that need no kernel'
	@echo 'make test-guard           tests of what stops the build of pkram_vfio.ko'
	@echo 'make test-userspace       tests of the library and pkramctl, with a fake kernel'
	@echo 'make test-install         what make install installs [KVER=6.12]'
	@echo 'make test-vm              tests in VMs [KERNELS="6.1 6.12 7" TESTS="pattern ..."]'
	@echo 'make test-qemu            tests with guests, which live through a kexec of their host'
	@echo 'make test-debug           the same on a kernel with KASAN, lockdep, kmemleak,'
	@echo '                          fault injection (builds it first: long)'
	@echo 'make modules              build pkram.ko and pkram_vfio.ko [KVER=`uname -r`, or 6.1,'
	@echo '                          6.12, 7; PKRAM_NO_VFIO=1 without the second]'
	@echo 'make userspace            build the library and pkramctl'
	@echo 'make check                checkpatch, sparse, W=1, shellcheck, codespell'
	@echo 'make bench                export and import against fio, on this machine; mapping'
	@echo '                          for DMA against type1, in a VM'
	@echo '                          [BENCH_DIR=folder on the disk, build/bench]'
	@echo 'make install              modules for KVER, user space, and the source for DKMS'
	@echo '                          [DESTDIR= PREFIX=/usr]; or a part: install-modules,'
	@echo '                          install-userspace, install-dkms'
	@echo 'make deb                  Debian packages, in build/deb/ [SUITES="bookworm trixie"]'
	@echo 'make test-deb             build them, install them, DKMS for each of KERNELS'
	@echo 'make qemu                 build QEMU with qemu-patches/ [QEMU_BASE=10.2 or 10.0,'
	@echo '                          QEMU_SRC=tree or tarball in place of Debian'"'"'s]'
	@echo 'make clean                remove what was built; the cache of kernels stays'

modules:
	@scripts/build-modules.sh $(KVER)

userspace:
	@scripts/need.sh userspace
	@$(MAKE) --no-print-directory -C userspace

qemu:
	@dir=$$(scripts/qemu.sh build $(QEMU_BASE)) && echo "$$dir/bin/qemu-system-x86_64"

demo:
	@scripts/demo.sh

test:
	@scripts/test.sh

test-unit:
	@scripts/need.sh userspace
	@$(MAKE) --no-print-directory -C selftests/unit run

test-guard:
	@selftests/guard

test-userspace:
	@scripts/need.sh userspace
	@$(MAKE) --no-print-directory -C userspace check

# Scenarios with guests have a target of their own; one that is named runs here too.
test-vm:
	@selftests/vm/run -j $(JOBS) -k '$(KERNELS)' -t '$(TESTS)' \
		$(if $(filter-out *,$(TESTS)),,-x '@(qemu|bench)_*')

test-qemu:
	@selftests/vm/run -j $(JOBS) -k '$(KERNELS)' \
		-t '$(if $(filter-out *,$(TESTS)),$(TESTS),qemu_*)'
	@$(if $(filter-out *,$(TESTS)),,scripts/qemu-qtest.sh)

test-debug:
	@selftests/vm/run -j $(JOBS) -k '$(or $(DEBUG_KERNELS),6.12-debug)' -t '$(TESTS)' \
		$(if $(filter-out *,$(TESTS)),,-x '@(qemu|bench)_*')

check:
	@scripts/check.sh

bench:
	@scripts/need.sh userspace
	@bench/copy.sh
	@bench/vfio.sh

test-install:
	@selftests/packaging/install.sh $(if $(filter command line environment,$(origin KVER)),'$(KVER)')

deb:
	@scripts/deb.sh build $(SUITES)

test-deb:
	@selftests/packaging/deb.sh $(KERNELS)

install: install-modules install-userspace install-dkms

install-modules:
	@scripts/install.sh modules '$(DESTDIR)' '$(PREFIX)' '$(KVER)'

install-userspace install-dkms:
	@scripts/install.sh $(@:install-%=%) '$(DESTDIR)' '$(PREFIX)'

clean:
	rm -rf build
