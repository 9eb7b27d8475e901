# SPDX-License-Identifier: MIT
# Everything starts here: `make help` lists what there is. Each target first lets scripts/setup look whether the
# machine has what that target needs; when it has, that takes a moment and changes nothing.

Q     := $(if $(V),,@)
SAY    = $(if $(V),@:,@printf '  %-7s %s\n')
NEWLIB = build/newlib

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# --- what is compiled -------------------------------------------------------------------------------------------

ROOMS   := kernel drivers net net/ovs net/sched net/inet net/pktgen net/observe vmm boot
SOURCES := $(wildcard $(ROOMS:=/*.c) $(ROOMS:=/*.S))
HEADERS := $(wildcard $(ROOMS:=/*.h))
OBJECTS := $(SOURCES:%=build/obj/%.o)
CONFIGS := $(patsubst boot/conf/%.conf,build/%.cpio,$(wildcard boot/conf/*.conf))

CC = gcc
# No -fpic and no red zone, as in every kernel; general registers only, so that an interrupt has no FPU state to
# save. Only newlib's headers and the compiler's own: the host's must not be found by accident.
# (Expanded late: on the first run there is no gcc before set-up.)
CFLAGS = -std=gnu17 -O2 -g -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only \
	 -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
	 -fno-omit-frame-pointer -momit-leaf-frame-pointer -ffunction-sections -fdata-sections \
	 -Wall -Wextra -Werror -D__DYNAMIC_REENT__ -I. -nostdinc -isystem $(NEWLIB)/include \
	 -isystem $(shell $(CC) -print-file-name=include)
# What each packet passes is built without frame pointers: 70 instructions a packet when they come one by one. Without
# a section for each function its code stands in .text and so, by linker.ld, together, where a back trace knows it. What
# aligns a loop is executed before the loop: with a turn or two, as most have here, that is dear.
HOT := kernel/irq.c kernel/loop.c kernel/softirq.c kernel/napi_policy.c kernel/netif_rx.c \
       drivers/gbe_vectors.c drivers/gbe_single.c drivers/igb.c drivers/igb_rx.c drivers/gbe_rx.c \
       drivers/igb_tx.c drivers/e1000e.c drivers/e1000e_ring.c drivers/e1000_rx.c drivers/e1000_tx.c drivers/intx.c \
       net/nic.c net/receive.c net/switch.c net/xmit.c vmm/vcpu.c vmm/svm.c vmm/svm_decode.c vmm/vmx.c vmm/vmx_decode.c \
       vmm/vmx_apic.c vmm/exits.c vmm/vlapic.c vmm/vlapic_ipi.c vmm/vlapic_access.c \
       vmm/injection.c vmm/vhost.c vmm/vhost_policy.c vmm/vhost_net.c vmm/virtq.c vmm/tap.c vmm/tun_get.c vmm/tun_put.c
$(HOT:%=build/obj/%.o): CFLAGS += -fomit-frame-pointer -fno-function-sections -fno-align-loops -fno-align-jumps

LDFLAGS = -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=0x1000 \
	  -Wl,-z,noexecstack -Wl,--gc-sections -T linker.ld
LIBS = $(NEWLIB)/lib/libc.a -lgcc

all: build/weir.elf $(CONFIGS) ## the kernel, build/weir.elf, and build/NAME.cpio for each boot/conf/NAME.conf

# --- set-up: once a run, for all that the goals on the command line need ---------------------------------------------

needs_all    := build guest
needs_run    := build guest run
needs_demo   := build guest run
needs_switch := build guest run
needs_tuning := build guest run
needs_closed := build guest run
needs_bochs  := build guest run bochs iso
needs_gdb    := build guest run gdb
needs_iso    := build guest iso
needs_efi    := efi
needs_disk   := build guest efi disk
needs_unit   := build test
needs_test   := build guest run bochs test iso efi disk firmware format gdb tags
needs_test-nested := build guest run test
needs_test-long := build guest guest-generic run test
needs_lab-livelock := build guest run lab
needs_bench  := build guest run bench
needs_tuning-doc := build guest run test
needs_tags   := tags
needs_format := format
needs_format-check := format
NEEDS := $(sort $(foreach goal,$(or $(MAKECMDGOALS),all),$(or $(needs_$(goal)),build)))

.PHONY: setup
setup:
	$(Q)scripts/setup $(NEEDS)

# --- the kernel -----------------------------------------------------------------------------------------------------

$(OBJECTS): Makefile | setup build/rooms.ok

build/obj/%.c.o: %.c
	$(SAY) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

build/obj/%.S.o: %.S
	$(SAY) AS $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d)

# A room includes only rooms that stand left of it: checked before anything is compiled.
build/rooms.ok: $(SOURCES) $(HEADERS) scripts/check-rooms
	$(Q)scripts/check-rooms $(SOURCES) $(HEADERS)
	$(Q)mkdir -p $(@D)
	$(Q)touch $@

# When a source file goes away no object becomes newer; the list of objects changes instead.
build/obj/list: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(OBJECTS)' | cmp -s - $@ || echo '$(OBJECTS)' >$@
FORCE:

# Two links: the first, with an empty symbol table, tells where each function lies; the second carries the table for
# back traces. It only lengthens .rodata, which stands behind .text, so no function moves, and that is checked.
KERNEL = $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

build/weir.elf: build/obj/ksyms.o $(OBJECTS) linker.ld scripts/ksyms Makefile build/obj/list
	$(SAY) LD $@
	$(Q)$(KERNEL)
	$(Q)nm -n $@ | scripts/ksyms | cmp -s - build/obj/ksyms.S || \
		{ echo 'weir.elf: functions moved between the two links; is .text before .rodata in linker.ld?'; exit 1; }

build/obj/first.elf: build/obj/noksyms.o $(OBJECTS) linker.ld Makefile build/obj/list
	$(Q)$(KERNEL)

build/obj/ksyms.S: build/obj/first.elf scripts/ksyms
	$(Q)nm -n $< | scripts/ksyms >$@

build/obj/noksyms.S: scripts/ksyms Makefile | setup
	$(Q)mkdir -p $(@D)
	$(Q)scripts/ksyms </dev/null >$@

build/obj/ksyms.o build/obj/noksyms.o: %.o: %.S
	$(Q)$(CC) -c -o $@ $<

# --- guests, and the archives ----------------------------------------------------------------------------------------

-include vmm/vmm.mk guest/guest.mk guest/linux.mk boot/efi/efi.mk

# One archive holds all that a boot needs: the config, and the kernels and initrds that it names.
files_of = $(sort $(shell sed -n '/^guest create/p' boot/conf/$(1).conf | grep -oE '(kernel|initrd) [^ ]+' | cut -d' ' -f2))

define archive
build/$(1).cpio: boot/conf/$(1).conf $(addprefix build/guest/,$(call files_of,$(1))) scripts/mkcpio Makefile | setup
	$$(SAY) CPIO $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)scripts/mkcpio $$@ weir.conf=$$< $(foreach f,$(call files_of,$(1)),$(f)=build/guest/$(f))
endef
$(foreach conf,$(CONFIGS),$(eval $(call archive,$(basename $(notdir $(conf))))))

# --- running it ---------------------------------------------------------------------------------------------------

.PHONY: all run demo switch tuning closed bochs gdb iso efi disk unit test test-long checks test-nested bench lab-livelock tuning-doc tags format format-check clean help

run: all ## boot Weir in QEMU with a Linux guest that serves a page, its shell on this terminal
	$(Q)scripts/launch run

demo: all ## the same without a person: page, pings, a download, counters, power off
	$(Q)scripts/launch demo

switch: all ## Weir as a switch alone, between two NICs
	$(Q)scripts/launch run --config switch

tuning: all ## docs/tuning.md, typed by you: two NICs on a hub, instructions for a clock
	$(Q)scripts/launch run --config tuning

closed: all ## generator, guest and sink in one machine without a host: the same output everywhere
	$(Q)scripts/launch closed

bochs: all ## Weir with its tiny guest on an Intel machine with VT-x, played by Bochs
	$(Q)scripts/launch run --platform bochs

gdb: all ## QEMU stopped before the first instruction, with gdb attached
	$(Q)scripts/launch gdb

# what a boot menu offers, under the names that boot/grub.cfg and boot/efi/settings.c know
BOOT_CONFIGS := linux switch selftest
BOOT_FILES := boot/weir.elf=build/weir.elf boot/grub/grub.cfg=boot/grub.cfg \
	      $(foreach c,$(BOOT_CONFIGS),boot/$(c).cpio=build/$(c).cpio)
BOOT_PARTS := build/weir.elf boot/grub.cfg $(BOOT_CONFIGS:%=build/%.cpio)

iso: build/weir.iso ## build/weir.iso, for a CD or a USB stick: GRUB starts it by BIOS and by UEFI

build/weir.iso: $(BOOT_PARTS) scripts/mkiso Makefile
	$(SAY) ISO $@
	$(Q)scripts/mkiso $@ $(BOOT_FILES)

efi: build/BOOTX64.EFI ## build/BOOTX64.EFI, the loader for an EFI system partition of your own

disk: build/weir.img ## build/weir.img, a disk: GRUB starts it by BIOS, BOOTX64.EFI by UEFI

build/weir.img: $(BOOT_PARTS) build/BOOTX64.EFI scripts/mkdisk Makefile
	$(SAY) DISK $@
	$(Q)scripts/mkdisk $@ EFI/BOOT/BOOTX64.EFI=build/BOOTX64.EFI $(BOOT_FILES)

unit: setup ## the unit tests alone, on this host: no QEMU, a minute
	$(Q)tests/run --units

# The machine between, where this host's KVM does not nest: Debian's kernel, and this host's QEMU with its libraries.
build/kvmhost.cpio: $(wildcard tests/system/kvmhost/*) guest/linux/add-modules $(wildcard /usr/bin/qemu-system-x86_64) | setup
	$(SAY) INITRD $@
	$(Q)tests/system/kvmhost/mkinitrd $@ build/linux

test: all build/weir.iso build/weir.img build/kvmhost.cpio build/guest/vmlinux ## all tests; the last line says how many passed, failed and were skipped
	$(Q)tests/run

test-long: all build/guest/vmlinuz-generic build/guest/linux-generic.cpio.gz ## what takes longer: Debian's generic kernel, a large guest, knobs in many orders
	$(Q)tests/run --long

test-nested: all build/kvmhost.cpio build/guest/vmlinuz ## Weir under the real KVM: this host's, or Debian's in a machine of QEMU's
	$(Q)tests/run --nested

bench: all ## instructions a packet, counted from outside
	$(Q)tests/bench/run

lab-livelock: all ## interrupt against poll under overload: build/lab/livelock.csv and .svg, the same everywhere
	$(Q)tests/lab/livelock

checks: ## docs/checks.md: check x platform, from what the last `make test` found
	$(Q)scripts/mkchecks

# --- for whoever writes it ------------------------------------------------------------------------------------------

C_FILES = $(shell git ls-files -co --exclude-standard '*.c' '*.h')

tuning-doc: all ## docs/tuning.md: what its lines print now, for you to look at by git diff
	$(Q)tests/system/transcript.py --bless

tags: setup ## a tags file for vi and others
	$(SAY) TAGS tags
	$(Q)ctags -R $(wildcard $(filter-out net/%,$(ROOMS))) tests

format: setup ## lay out the C files as .clang-format says
	$(SAY) FORMAT 'C files'
	$(Q)clang-format-14 -i --style=file $(C_FILES)

format-check: setup ## say which C files are laid out otherwise
	$(Q)clang-format-14 --dry-run -Werror --style=file $(C_FILES)

clean: ## remove build/ (newlib stays in the cache)
	$(Q)rm -rf build tags

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1 == "all" ? "" : $$1, $$2 }' Makefile
	@echo '  V=1 shows the commands. scripts/launch run --help: cores, accelerator, emulator, config.'
