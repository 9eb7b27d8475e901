# SPDX-License-Identifier: MIT
# guest.mk - the tiny guest: build/guest/tiny is a bzImage, build/guest/tiny.elf the same for a loader that knows PVH.
# Included by the Makefile at the top.

TINY_SOURCES := $(wildcard guest/tiny/*.c guest/tiny/*.S)
TINY_OBJECTS := $(TINY_SOURCES:%=build/obj/%.o)

# It runs at -2 GiB, takes interrupts on the stack that it runs on, and leaves all registers but the general ones to
# whoever checks them. No libc: what it needs stands in lib.c.
TINY_CFLAGS = -std=gnu17 -O2 -g -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	      -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
	      -Wall -Wextra -Werror -I. -nostdinc -isystem $(shell $(CC) -print-file-name=include)
TINY_LDFLAGS = -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=0x1000 -Wl,-z,noexecstack \
	       -Wl,--no-warn-rwx-segments -T guest/tiny/tiny.ld

$(TINY_OBJECTS): guest/guest.mk | setup

build/obj/guest/%.c.o: guest/%.c
	$(SAY) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TINY_CFLAGS) -MMD -MP -c -o $@ $<

build/obj/guest/%.S.o: guest/%.S
	$(SAY) AS $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TINY_CFLAGS) -MMD -MP -c -o $@ $<

-include $(TINY_OBJECTS:.o=.d)

build/guest/tiny.elf: $(TINY_OBJECTS) guest/tiny/tiny.ld
	$(SAY) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TINY_LDFLAGS) -o $@ $(filter %.o,$^)

build/guest/tiny: build/guest/tiny.elf
	$(SAY) BZIMAGE $@
	$(Q)objcopy -O binary -j .setup --set-section-flags .setup=alloc,load $< $@.setup
	$(Q)objcopy -O binary -R .setup $< $@.loaded
	$(Q)cat $@.setup $@.loaded >$@
	$(Q)rm $@.setup $@.loaded
