# SPDX-License-Identifier: MIT
# The Linux guests: Debian's kernels as they come, and one user space of busybox. Set-up unpacks the kernel packages
# at build/linux and build/linux-generic, and removes what was made of an older one.

LINUX_INITRD := $(addprefix guest/linux/,init payload discard mkinitrd)

build/guest/vmlinuz: guest/linux.mk | setup
	$(SAY) LINUX $@
	$(Q)mkdir -p $(@D)
	$(Q)cp build/linux/boot/vmlinuz-* $@

build/guest/vmlinuz-generic: guest/linux.mk | setup
	$(SAY) LINUX $@
	$(Q)mkdir -p $(@D)
	$(Q)cp build/linux-generic/boot/vmlinuz-* $@

build/guest/linux.cpio.gz: $(LINUX_INITRD) guest/linux.mk | setup
	$(SAY) INITRD $@
	$(Q)mkdir -p $(@D)
	$(Q)guest/linux/mkinitrd $@ build/linux

build/guest/linux-generic.cpio.gz: $(LINUX_INITRD) guest/linux.mk | setup
	$(SAY) INITRD $@
	$(Q)mkdir -p $(@D)
	$(Q)guest/linux/mkinitrd $@ build/linux-generic

build/guest/vmlinux: build/guest/vmlinuz guest/linux/unpack
	$(SAY) UNPACK $@
	$(Q)guest/linux/unpack $< $@
