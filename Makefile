# SPDX-License-Identifier: GPL-2.0
#
# pkram: build and test everything; `make help` lists the targets. The work is done by
# scripts/, which install the packages they need.

KVER ?= $(shell uname -r)
KERNELS ?= 6.1 6.12 7
TESTS ?= *
JOBS ?= 2
PREFIX ?= /usr

.DEFAULT_GOAL := help
.PHONY: help modules userspace qemu demo test test-unit test-guard test-userspace test-install \
	test-vm test-qemu test-debian test-deb test-fs test-debug fuzz check bench deb install install-modules install-userspace \
	install-dkms clean

help:
	@echo 'To begin with'
	@echo '  make demo             show a guest that lives through two kernel updates of its host'
	@echo '  make test             run the tests of CI, on all kernels (about 40 minutes); the targets below run more'
	@echo 'Build'
	@echo '  make modules          pkram.ko and pkram_vfio.ko [KVER=`uname -r`, or 6.1, 6.12, 7, 7.2, or'
	@echo '                        next, of sid or experimental, to see what comes;'
	@echo '                        PKRAM_NO_VFIO=1 leaves out the second]'
	@echo '  make userspace        libpkram and pkramctl'
	@echo '  make deb              Debian packages, in build/deb/ [SUITES="bookworm trixie"]'
	@echo '  make qemu             QEMU with qemu-patches/ [QEMU_BASE=10.2 or 10.0,'
	@echo '                        QEMU_SRC=tree or tarball instead of Debian'"'"'s source]'
	@echo '  make install          modules for KVER, user space, and the source for DKMS'
	@echo '                        [DESTDIR= PREFIX=/usr]; in parts: install-modules,'
	@echo '                        install-userspace, install-dkms'
	@echo '  make clean            remove build/; the cache of kernels stays'
	@echo 'Test'
	@echo '  make test-unit        the parts that need no kernel'
	@echo '  make test-guard       the build check of pkram_vfio.ko'
	@echo '  make test-userspace   libpkram and pkramctl, with a fake kernel'
	@echo '  make test-install     the files of make install [KVER=6.12]'
	@echo '  make test-vm          in VMs [KERNELS="6.1 6.12 7" TESTS="pattern ..."]'
	@echo '  make test-qemu        guests in VMs [KERNELS= TESTS=]'
	@echo '  make test-debian      a Debian host with systemd and the packages, in a VM'
	@echo '  make test-deb         install the packages, build by DKMS for each of KERNELS'
	@echo '  make test-fs          random operations on pkramfs, fio and stress-ng, for longer than'
	@echo '                        in CI [KERNELS=6.12 FS_SECONDS=300 FS_SEED=]'
	@echo '  make test-debug       on a kernel with KASAN, lockdep, kmemleak and fault'
	@echo '                        injection (builds it first: long) [TESTS=]'
	@echo '  make fuzz             stop after each store of an operation, and feed random input to'
	@echo '                        the loader, the store and others'
	@echo '                        [FUZZ="loader store alloc guest nl qmp" SECONDS=60 each]'
	@echo '  make check            checkpatch, sparse, W=1, shellcheck, codespell, includes, docs'
	@echo '  make bench            export and import against fio, on this machine; in VMs mapping'
	@echo '                        for DMA against type1, attaching against the number of objects,'
	@echo '                        allocations and faults while 700 GiB are removed'
	@echo '                        [BENCH_DIR=directory on the disk, build/bench]'

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
	@scripts/tap -j 1 'core=$(MAKE) --no-print-directory -C selftests/unit run' \
		'fuzz=$(MAKE) --no-print-directory -C selftests/fuzz run'

fuzz:
	@scripts/need.sh fuzz
	@$(MAKE) --no-print-directory -C selftests/unit cuts
	@$(MAKE) --no-print-directory -C selftests/fuzz fuzz

test-guard:
	@selftests/guard

test-userspace:
	@scripts/need.sh userspace
	@$(MAKE) --no-print-directory -C userspace check

# Scenarios with guests have separate targets; a scenario that is named runs here too.
test-vm:
	@selftests/vm/run -j $(JOBS) -k '$(KERNELS)' -t '$(TESTS)' \
		$(if $(filter-out *,$(TESTS)),,-x '@(qemu|bench|long)_*')

test-qemu:
	@selftests/vm/run -j $(JOBS) -k '$(KERNELS)' \
		-t '$(if $(filter-out *,$(TESTS)),$(TESTS),qemu_*)'
	@$(if $(filter-out *,$(TESTS)),,selftests/qemu/run 10.2 && selftests/qemu/run 10.0 && scripts/qemu-qtest.sh)

test-debian:
	@selftests/vm/run -j $(JOBS) -t 'qemu_debian$(if $(filter-out *,$(TESTS)),.$(TESTS))'

test-fs:
	@FS_SECONDS='$(or $(FS_SECONDS),300)' FS_SEED='$(FS_SEED)' selftests/vm/run -j $(JOBS) \
		-k '$(if $(filter command line environment,$(origin KERNELS)),$(KERNELS),6.12)' \
		-t 'long_fs fs_* exerciser'

test-debug:
	@selftests/vm/run -j $(JOBS) -k '$(or $(DEBUG_KERNELS),6.12-debug)' -t '$(TESTS)' \
		$(if $(filter-out *,$(TESTS)),,-x '@(qemu|bench|long)_*')

check:
	@scripts/check.sh

bench:
	@scripts/need.sh userspace
	@bench/copy.sh
	@bench/vfio.sh
	@bench/pool.sh

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
