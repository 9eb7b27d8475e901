/* SPDX-License-Identifier: MIT */
/*
 * lspci.c - the shell's lspci
 *
 * Control context, core 0. Owns the few names that it knows; a function without a name is shown by
 * its ids, as Linux's lspci does without its database.
 */
#include "pci.h"

#include "kernel/shell.h"
#include "pci_regs.h"

#include <string.h>

static const struct {
	uint16_t class; /* class and subclass */
	const char *name;
} classes[] = {
	{ 0x00ff, "Unclassified device" }, { 0x0100, "SCSI storage controller" },
	{ 0x0101, "IDE interface" },       { 0x0106, "SATA controller" },
	{ 0x0200, "Ethernet controller" }, { 0x0300, "VGA compatible controller" },
	{ 0x0600, "Host bridge" },         { 0x0601, "ISA bridge" },
	{ 0x0604, "PCI bridge" },          { 0x0680, "Bridge" },
	{ 0x0c03, "USB controller" },      { 0x0c05, "SMBus" },
};

static const struct {
	struct pci_id id;
	const char *name;
} devices[] = {
	{ { 0x8086, 0x100e }, "Intel 82540EM" },
	{ { 0x8086, 0x10c9 }, "Intel 82576" },
	{ { 0x8086, 0x10d3 }, "Intel 82574L" },
	{ { 0x8086, 0x1237 }, "Intel 440FX" },
	{ { 0x8086, 0x2918 }, "Intel 82801IB (ICH9) LPC" },
	{ { 0x8086, 0x2922 }, "Intel 82801IR (ICH9) AHCI" },
	{ { 0x8086, 0x2930 }, "Intel 82801I (ICH9) SMBus" },
	{ { 0x8086, 0x29c0 }, "Intel 82G33 (Q35) DRAM controller" },
	{ { 0x1234, 0x11e8 }, "QEMU edu" },
	{ { 0x1b36, 0x000c }, "QEMU PCIe root port" },
};

static const char *class_name(const struct pci_dev *pd)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (classes[i].class == pd->class >> 8)
			return classes[i].name;
	return "Device";
}

static const char *device_name(const struct pci_dev *pd)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].id.vendor == pd->vendor && devices[i].id.device == pd->device)
			return devices[i].name;
	return "Device";
}

static void show_details(struct shell *sh, const struct pci_dev *pd)
{
	unsigned msix = pci_cap(pd, PCI_CAP_ID_MSIX);

	if (pd->layout == 0)
		shell_printf(sh, "\tSubsystem: [%04x:%04x]\n", pd->subvendor, pd->subdevice);
	for (unsigned n = 0; pd->layout == 0 && n < PCI_NBARS; n++) {
		const struct pci_bar bar = pd->bar[n];

		if (bar.size && bar.io)
			shell_printf(sh, "\tI/O ports at %04lx [size=%lu]\n",
				     (unsigned long)bar.addr, (unsigned long)bar.size);
		else if (bar.size)
			shell_printf(sh, "\tMemory at %08lx (%s-bit) [size=%luK]\n",
				     (unsigned long)bar.addr, bar.wide ? "64" : "32",
				     (unsigned long)bar.size / 1024);
	}
	if (pci_cap(pd, PCI_CAP_ID_MSI))
		shell_printf(sh, "\tCapabilities: [%02x] MSI\n", pci_cap(pd, PCI_CAP_ID_MSI));
	if (msix)
		shell_printf(sh, "\tCapabilities: [%02x] MSI-X: Count=%u\n", msix,
			     (unsigned)FIELD_GET(PCI_MSIX_TABLE_SIZE,
						 pci_read16(pd, msix + PCI_MSIX_CONTROL)) +
				     1);
	if (pd->driver)
		shell_printf(sh, "\tKernel driver in use: %s\n", pd->driver->name);
}

static int run_lspci(struct shell *sh, int n, const struct word *w)
{
	bool verbose = word_is(n, w, 1, "-v");

	if (n > 1 + verbose)
		return shell_expected(sh, 1 + verbose,
				      verbose ? "the end of the line"
					      : "-v or the end of the line");
	for (unsigned i = 0; i < pci_ndevs; i++) {
		const struct pci_dev *pd = &pci_devs[i];

		shell_printf(sh, "%s %s: %s [%04x:%04x]", pd->name + 5, class_name(pd),
			     device_name(pd), pd->vendor, pd->device);
		if (pd->revision)
			shell_printf(sh, " (rev %02x)", pd->revision);
		shell_printf(sh, "\n");
		if (verbose)
			show_details(sh, pd);
	}
	return 0;
}

SHELL_COMMAND(cmd_lspci, .name = "lspci", .usage = "[-v]",
	      .help = "PCI functions found, and who drives them", .run = run_lspci);
