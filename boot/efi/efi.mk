# SPDX-License-Identifier: MIT
# efi.mk - build/BOOTX64.EFI, the loader for UEFI: a shared object that objcopy makes an EFI application of, with
# GNU-EFI's start-up code, which relocates it. Included by the Makefile at the top.

EFI_SOURCES := $(wildcard boot/efi/*.c)
EFI_OBJECTS := $(EFI_SOURCES:%=build/obj/%.o)

EFI_LIB := /usr/lib
# Position-independent, as firmware puts it anywhere; its strings are UTF-16, its calls Microsoft's.
EFI_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -fpic -fshort-wchar -mno-red-zone -fno-stack-protector \
	      -fcf-protection=none -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
	      -maccumulate-outgoing-args -DGNU_EFI_USE_MS_ABI \
	      -Wall -Wextra -Werror -I/usr/include/efi -I/usr/include/efi/x86_64
EFI_LDFLAGS := -nostdlib -shared -Bsymbolic -znocombreloc -znoexecstack --no-undefined --build-id=none \
	       -T $(EFI_LIB)/elf_x86_64_efi.lds -L $(EFI_LIB)
EFI_PARTS := .text .sdata .data .dynamic .dynsym .rel .rela '.rel.*' '.rela.*' .reloc

$(EFI_OBJECTS): boot/efi/efi.mk | setup

build/obj/boot/efi/%.c.o: boot/efi/%.c
	$(SAY) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(EFI_CFLAGS) -MMD -MP -c -o $@ $<

-include $(EFI_OBJECTS:.o=.d)

build/obj/boot/efi/loader.so: $(EFI_OBJECTS)
	$(Q)ld $(EFI_LDFLAGS) -o $@ $(EFI_LIB)/crt0-efi-x86_64.o $(EFI_OBJECTS) -lgnuefi -lefi

# the same bytes whenever it is built: no time of day in its header
build/BOOTX64.EFI: build/obj/boot/efi/loader.so
	$(SAY) EFI $@
	$(Q)SOURCE_DATE_EPOCH=0 objcopy $(addprefix -j ,$(EFI_PARTS)) --target=efi-app-x86_64 --subsystem=10 $< $@
