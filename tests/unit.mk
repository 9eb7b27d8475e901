# SPDX-License-Identifier: MIT
# The unit tests: each tests/unit/test_NAME.c becomes the program build/unit/test_NAME, for this host, with the address
# and undefined-behaviour sanitisers. A comment in its first lines says what it links besides itself:
#	/* links: net/parse.c tests/unit/host.c */
# Two words there stand for many files: `path` for the path of a packet, on fake ports, and `inet` for Weir's own
# protocols behind that.
# Called by tests/run, whose caller has looked after the set-up.

Q     := $(if $(V),,@)
OUT   := build/unit
NAMES := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))

CC     = gcc
CFLAGS = -std=gnu17 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	 -fno-omit-frame-pointer -Wall -Wextra -Werror -pthread -I.

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all
all: $(NAMES:%=$(OUT)/%)

path := net/receive.c net/taps.c net/bpf.c net/tc_filter.c net/pktgen/sink.c net/rps.c net/rps_config.c net/switch.c net/ovs/vswitch.c net/key_hash.c net/parse.c \
	net/flow.c net/ovs/upcall.c net/ovs/rules.c net/ovs/fdb.c net/xmit.c net/validate.c net/gro.c net/gro_merge.c net/gso.c net/csum.c net/sched/qdisc.c net/sched/qdisc_fq_codel.c net/port.c \
	kernel/pool.c kernel/qsbr.c kernel/toeplitz.c kernel/histogram.c tests/unit/fake_net.c tests/unit/host.c
inet := net/inet/internal.c net/inet/local.c net/bytes.c net/inet/inet.c net/inet/maddr.c net/inet/route.c net/inet/neigh.c net/inet/neigh_table.c net/inet/neigh_control.c net/inet/arp.c net/inet/ndisc.c net/inet/ipv4.c \
	net/inet/ipv6.c net/inet/ipv6_ext.c net/inet/frag.c net/inet/forward.c net/inet/ip_output.c net/inet/ip_segment.c net/inet/frag_out.c net/inet/icmp.c net/inet/icmp_error.c \
	net/inet/ping.c net/inet/ping_options.c net/inet/ip_words.c net/inet/ip_link.c net/inet/ip_addr.c net/inet/ip_route.c net/inet/ip_neigh.c net/inet/ip_maddr.c net/inet/udp.c net/inet/snmp.c net/addr.c

linked = $(shell sed -n '1,10s|.*/\* links: *\(.*[^ ]\) *\*/.*|\1|p' tests/unit/$(1).c)
links = $(sort $(foreach word,$(call linked,$(1)),$(if $(filter path inet,$(word)),$($(word)),$(word))))

define test_program
$(OUT)/$(1): $(patsubst %.c,$(OUT)/obj/%.o,tests/unit/$(1).c $(call links,$(1)))
endef
$(foreach name,$(NAMES),$(eval $(call test_program,$(name))))
-include $(wildcard $(OUT)/obj/*/*.d $(OUT)/obj/net/*/*.d $(OUT)/obj/tests/*/*.d)

$(NAMES:%=$(OUT)/%): tests/unit.mk
	@echo '  HOSTLD  $@'
	$(Q)$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) -lcmocka

$(OUT)/obj/%.o: %.c tests/unit.mk
	@echo '  HOSTCC  $<'
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

-include vmm/vmm.mk
