/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rights: what the host may do for a program before it is one.  To be root is
 * not enough: a unit, or a container, may have taken capabilities away.
 */
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/worker_priv.h"

bool
right_have(unsigned capability)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) < 0)
		return geteuid() == 0;
	return (sets[CAP_TO_INDEX(capability)].effective &
		   CAP_TO_MASK(capability)) != 0;
}

bool
right_switch(void)
{
	return geteuid() == 0 && right_have(CAP_SETUID) &&
	       right_have(CAP_SETGID);
}
