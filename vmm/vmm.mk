# SPDX-License-Identifier: MIT
# The room's one generated file: the DSDT in ACPI's byte code. Included by the Makefile and by tests/unit.mk.

# iasl names its output itself and talks a lot; what it says is worth reading only when it fails.
build/dsdt.aml: vmm/dsdt.asl
	@echo '  IASL    $@'
	@mkdir -p $(@D)
	@iasl -p $(basename $@) $< >$@.log 2>&1 || { cat $@.log >&2; exit 1; }
	@rm -f $@.log

# where it is embedded
build/obj/vmm/dsdt.S.o build/unit/obj/tests/unit/test_vacpi.o: build/dsdt.aml
