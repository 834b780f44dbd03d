/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capability_words: what `capabilities` of the host may name: the names of
 * capabilities(7), small and without CAP_, in the order of their numbers.
 */
#include <string.h>
#include <strings.h>

#include "config/config_priv.h"

const char *const capability_words[] = {"keep", "chown", "dac_override",
    "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
    "setpcap", "linux_immutable", "net_bind_service", "net_broadcast",
    "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio",
    "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot",
    "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease",
    "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin",
    "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore", NULL};

int
capability_number(const char *word)
{
	if (word[0] == '~')
		word++;
	if (strncasecmp(word, "cap_", 4) == 0)
		word += 4;
	/* The first of the words is none. */
	for (int i = 1; capability_words[i] != NULL; i++)
		if (strcasecmp(capability_words[i], word) == 0)
			return i - 1;
	return -1;
}

const char *
capability_name(unsigned number)
{
	for (unsigned i = 1; capability_words[i] != NULL; i++)
		if (i - 1 == number)
			return capability_words[i];
	return "another one";
}
