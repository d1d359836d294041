# svinit: PID 1 for Linux in TypeScript. `make` says what there is to make.
#
# RUNTIME=bun|node  the runtime of the image
# KERNEL=path       a kernel instead of Debian's
# APPEND=...        added to the kernel command line
# ARGS=...          arguments for svinit in the container
# SEEDS=N           how many lives `make simulate` lives
# DISK=file         a disk for `make run`; it stays as it is
# PROFILE=udev      `make run` with udevd
# QUICK=1           `make bench` in a few minutes
# MINUTES=N         how long `make fuzz` and `make soak` take

RUNTIME ?= bun
export RUNTIME APPEND SEEDS MINUTES QUICK
MAKEFLAGS += --no-print-directory

# The exact runtimes of package-lock.json, never the machine's own; npm itself runs on the latter.
HOST_PATH := $(PATH)
BUN := bun-linux-$(if $(filter aarch64,$(shell uname -m)),aarch64,x64)
export PATH := $(CURDIR)/node_modules/.bin:$(CURDIR)/node_modules/@oven/$(BUN)/bin:$(PATH)
NODE := node --disable-warning=ExperimentalWarning

SOURCES := node_modules/.package-lock.json $(shell find src services initramfs -type f) \
  $(addprefix scripts/,image.ts compile.ts elf.ts rootfs.ts entries.ts cpio.ts tar.ts stage.ts tool.ts)
IMAGES := build/bun/initramfs.cpio.zst build/node/initramfs.cpio.zst

.PHONY: help deps check test image image-bun image-node kernel modules run container \
  run-container start simulate fuzz soak bench bench-compare profile clean figures debian udev
.DELETE_ON_ERROR:

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

deps: .tap/plugins/package.json ## install the npm packages, exactly those of package-lock.json

check: deps ## compiler, linter, and the tests that take seconds: no root, no other package
	@$(NODE) scripts/test.ts static core sys contract boot-unit log cli tidy

test: need-qemu+container+unprivileged-podman+mke2fs+s6-svc+sv+tmux deps kernel build/fsck/e2fsck image-bun image-node ## all checks and tests
	@$(MAKE) debian || echo 'No disk with Debian: the tests that need it are skipped.'
	@$(MAKE) udev || echo 'No udevd: its test is skipped.'
	@$(MAKE) runit || echo 'No services of runit: their test is skipped.'
	@$(MAKE) daemons || echo 'No daemons of Debian: their test is skipped.'
	@$(NODE) scripts/test.ts

image: image-$(RUNTIME) ## the root filesystem, as initramfs and for containers: build/RUNTIME

kernel: ## KERNEL=path, or Debian's cloud kernel, downloaded and not installed
	@scripts/fetch.sh kernel $(KERNEL)

modules: deps kernel build/fsck/e2fsck ## modules and checkers as a second initrd: build/kernel/modules.cpio.zst
	@$(NODE) scripts/modules.ts

build/fsck/e2fsck:
	@scripts/fetch.sh fsck

debian: need-debootstrap+mke2fs deps ## a disk with Debian bookworm to be a root: build/debian/debian.img
	@$(NODE) scripts/debian.ts

udev: deps build/udev/root/bin/udevadm ## Debian's udevd as another initrd, in place of svdev: build/udev.cpio.zst
	@$(NODE) scripts/udev.ts

build/udev/root/bin/udevadm:
	@scripts/fetch.sh udev

runit: build/runit/root/usr/bin/sv ## packages of Debian with services for runit, unpacked for a test

build/runit/root/usr/bin/sv:
	@scripts/fetch.sh runit

daemons: build/daemons/root/usr/sbin/lighttpd ## daemons of Debian that are written for systemd, unpacked for a test

build/daemons/root/usr/sbin/lighttpd:
	@scripts/fetch.sh daemons

run: need-qemu kernel image ## boot the image in QEMU, the console on this terminal
	@$(NODE) scripts/modules.ts || echo 'It boots without modules.'
	@$(NODE) scripts/qemu.ts

container: need-container+unprivileged-podman image ## the image as a container image, localhost/svinit:RUNTIME
	@$(NODE) scripts/container.ts build

run-container: container ## run that container
	@$(NODE) scripts/container.ts run $(ARGS)

start: image ## run the image in namespaces: no QEMU, no root
	@$(NODE) scripts/start.ts

simulate: deps ## SEEDS=10000 random lives of the core in a model world, with everything going wrong
	@$(NODE) scripts/simulate.ts

fuzz: deps ## MINUTES=1 of random inputs for everything that reads untrusted input
	@$(NODE) scripts/fuzz.ts

soak: image ## MINUTES=20 of chaos against 500 services; plot and samples in build/soak. Needs root
	@$(NODE) scripts/soak.ts chaos --services=500 --runtime=$(RUNTIME) --minutes=$(or $(MINUTES),20)

bench: need-gcc+strip+qemu deps kernel image-bun image-node ## svinit and its peers side by side: docs/benchmarks.md; QUICK=1. Needs root
	@scripts/bench/prepare.sh
	@$(NODE) scripts/bench.ts run

bench-compare: deps ## what `make bench` measured last against what is recorded
	@$(NODE) scripts/bench.ts compare

profile: need-gcc+strip deps image-bun image-node ## where PID 1's time goes, start and 1,000 services. Needs root
	@scripts/bench/prepare.sh
	@$(NODE) scripts/bench/profile.ts

clean: ## remove what was built; node_modules stays
	rm -rf build .tap

figures: deps ## the figures of docs/
	@$(NODE) scripts/figures.ts

# need-a+b: the programs a and b, from Debian's packages where they are missing.
need-%:
	@scripts/need.sh $(subst +, ,$*)

image-bun image-node: image-%: build/%/initramfs.cpio.zst ;

$(IMAGES): build/%/initramfs.cpio.zst: $(SOURCES) build/busybox/busybox
	@$(NODE) scripts/image.ts --runtime=$*

build/busybox/busybox:
	@scripts/fetch.sh busybox

node_modules/.package-lock.json: package-lock.json
	@scripts/need.sh npm libatomic libstdc++
	PATH="$(HOST_PATH)" npm ci --ignore-scripts --no-audit --no-fund \
	  --no-update-notifier --loglevel=error
	@touch $@

.tap/plugins/package.json: node_modules/.package-lock.json
	tap build
	@touch $@
