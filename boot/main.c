/* SPDX-License-Identifier: MIT */
/*
 * main.c - the boot list, a table of contents of the machine
 *
 * boot_main() is entered by entry.S on core 0, interrupts off, on the boot stack. It brings the
 * rooms up from left to right and ends in the core loop. What may take long, the configuration and
 * the shell, runs in the control context.
 */
#include "loader.h"

#include "kernel/acpi.h"
#include "kernel/apic.h"
#include "kernel/archive.h"
#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/cpio.h"
#include "kernel/ioapic.h"
#include "kernel/irq.h"
#include "kernel/libc.h"
#include "kernel/loop.h"
#include "kernel/mem.h"
#include "kernel/park.h"
#include "kernel/shell.h"
#include "kernel/smp.h"
#include "kernel/softirq.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "drivers/drivers.h"
#include "drivers/uart.h"
#include "net/net.h"
#include "vmm/vmm.h"

#include <errno.h>

enum { LINK_WAIT_MS = 1500 }; /* a port without a cable is not worth more */

static struct boot_info boot;

static void read_boot_info(uint32_t door, uint64_t info)
{
	if (door == BOOT_DOOR_PVH)
		pvh_boot_info(&boot, info);
	else if (door == BOOT_DOOR_MULTIBOOT2)
		multiboot2_boot_info(&boot, info);
	else if (door == BOOT_DOOR_EFI)
		efi_boot_info(&boot, info);
	else
		panic("started by an unknown loader (%#x); use QEMU's -kernel, GRUB's multiboot2 "
		      "or BOOTX64.EFI",
		      door);
}

/*
 * configure() - run weir.conf; without an archive, or with a damaged one, say so
 * and leave every port down.
 */
static void configure(void)
{
	struct shell sh = { .write = shell_to_console };
	const void *text;
	size_t len;
	unsigned failed;
	int err;

	if (!boot.archive) {
		kprintf("config: no archive was handed over; every port stays down\n");
		return;
	}
	err = cpio_find((const void *)boot.archive, boot.archive_len, "weir.conf", &text, &len);
	if (err) {
		kprintf("config: %s; every port stays down\n",
			err == -ENOENT ? "no weir.conf in the archive" : cpio_reason());
		return;
	}
	failed = config_run(&sh, "weir.conf", text, len, net_config_failed);
	if (failed)
		kprintf("config: %u line%s failed; what they name stays down\n", failed,
			failed > 1 ? "s" : "");
}

/*
 * await_links() - auto-negotiation takes half a second; who types a command sees
 * the ports as they will be.
 */
static void await_links(void)
{
	for (unsigned ms = 0; ms < LINK_WAIT_MS && !net_links_up(); ms += 10)
		msleep(10);
}

/* control_main() - the body of the control context. */
static void control_main(void)
{
	configure();
	await_links();
	kprintf("Weir is ready. Type help for the commands, poweroff to leave.\n");
	shell_main();
}

void boot_main(uint32_t door, uint64_t info)
{
	/* this core, and a voice */
	cpu_init_boot();
	uart_init();
	read_boot_info(door, info);
	kprintf("Weir: a packet's way through one machine; started by %s\n", boot.loader);

	/* memory, with what the loader left kept aside */
	mem_init(&boot);
	paging_init(&boot);
	libc_init();
	archive_init((const void *)boot.archive, boot.archive_len);

	/* interrupts and time */
	acpi_init(boot.rsdp);
	apic_init();
	cpu_init_late();
	ioapic_init();
	irq_enable();
	softirq_init();
	park_init();
	time_init();
	kprintf("memory: %lu MiB; TSC: %lu.%03lu MHz\n", (unsigned long)mem_total() >> 20,
		(unsigned long)tsc_khz / 1000, (unsigned long)tsc_khz % 1000);

	/* the other cores */
	smp_init();
	trace_init();

	/* devices, what stands between their ports, and guests */
	uart_start();
	drivers_init();
	net_init();
	vmm_init();

	/* configuration and shell, then packets for ever */
	control_start(control_main);
	core_loop();
}
