/* SPDX-License-Identifier: MIT */
/*
 * dsdt.asl - what a guest's kernel cannot find by itself: the PCI host bridge and its interrupt lines, the serial line,
 * how to switch off, and the button that asks for it [ACPI 6.4]. Compiled by iasl. Numbers are those of vpci.h, vuart.h
 * and vacpi.h: keep in step, tests/unit/test_vacpi.c compares.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "WEIR", "WEIRDSDT", 1)
{
	/* soft off: SLP_TYP 5 into the sleep control register */
	Name (\_S5, Package () { 5, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, Zero)
			Name (_BBN, Zero)

			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				/* VPCI_CONFIG_ADDRESS, VPCI_CONFIG_DATA */
				IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
				/* VPCI_IO_BASE, VPCI_IO_SIZE */
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0xC000, 0xCFFF, 0, 0x1000)
				/* VPCI_MEM_BASE, VPCI_MEM_SIZE */
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
					0, 0xE0000000, 0xEFFFFFFF, 0, 0x10000000)
			})

			/* VPCI_INTX_PIN: INTA of each slot at a pin of its own */
			Name (_PRT, Package ()
			{
				Package () { 0x0000FFFF, 0, 0, 16 },
				Package () { 0x0001FFFF, 0, 0, 17 },
				Package () { 0x0002FFFF, 0, 0, 18 },
				Package () { 0x0003FFFF, 0, 0, 19 },
				Package () { 0x0004FFFF, 0, 0, 20 },
				Package () { 0x0005FFFF, 0, 0, 21 },
				Package () { 0x0006FFFF, 0, 0, 22 },
				Package () { 0x0007FFFF, 0, 0, 23 }
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, Zero)

			Name (_CRS, ResourceTemplate ()
			{
				/* VUART_PORT, VUART_PORTS, VUART_PIN */
				IO (Decode16, 0x03F8, 0x03F8, 1, 8)
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 4 }
			})
		}

		/* a button, and as there are no fixed events, an interrupt that says it was pressed [5.6.9] */
		Device (PWRB)
		{
			Name (_HID, EisaId ("PNP0C0C"))
		}

		Device (GED0)
		{
			Name (_HID, "ACPI0013")
			Name (_UID, Zero)

			Name (_CRS, ResourceTemplate ()
			{
				/* VACPI_PIN */
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 9 }
			})

			Method (_EVT, 1, Serialized)
			{
				Notify (PWRB, 0x80)
			}
		}
	}
}
