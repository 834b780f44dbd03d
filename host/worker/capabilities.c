/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capabilities: those that a program can ever have (its bounding set), and
 * those that it is given though its user is not root (the ambient ones).
 *
 * The host cannot give what it has not: what it keeps is said by
 * `capabilities` of its own.  A set is told by systemd's rule: the first word
 * says whether the list names what there is or, with `~`, what there is not;
 * the words after it add or take away.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/sandbox.h"

#define BIT(number_) (UINT64_C(1) << (number_))
#define SET_BITS 64u

static uint64_t
read_set(const struct word_list *words)
{
	uint64_t set = words->count > 0 && words->word[0][0] == '~' ? UINT64_MAX
								    : 0;

	for (unsigned i = 0; i < words->count; i++) {
		uint64_t bit = BIT(capability_number(words->word[i]));

		if (words->word[i][0] == '~')
			set &= ~bit;
		else
			set |= bit;
	}
	return set;
}

/* The host's, whose numbers end with those that the kernel knows. */
static uint64_t
own_bounding_set(void)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < SET_BITS; i++) {
		int has = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

		if (has < 0)
			break;
		if (has > 0)
			set |= BIT(i);
	}
	return set;
}

static uint64_t
own_set(uint64_t bounds)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < SET_BITS; i++)
		if ((bounds & BIT(i)) != 0 && right_have(i))
			set |= BIT(i);
	return set;
}

static unsigned
first_of(uint64_t set)
{
	unsigned number = 0;

	while ((set & BIT(number)) == 0)
		number++;
	return number;
}

static int
bound(struct sandbox_maker *maker, uint64_t own, struct spawn_sandbox *sandbox)
{
	const struct word_list *words =
	    &maker->request->settings->capability_bounding_set;

	if (!words->is_set)
		return 0;
	sandbox->dropped = own & ~read_set(words);
	if (sandbox->dropped == 0 || right_have(CAP_SETPCAP))
		return 0;
	sandbox->dropped = 0;
	return sandbox_lack(maker, -EPERM, "capability_bounding_set",
	    "only a host that has CAP_SETPCAP can take capabilities away from "
	    "a program");
}

static int
give(struct sandbox_maker *maker, uint64_t own, struct spawn_sandbox *sandbox)
{
	const struct word_list *words =
	    &maker->request->settings->ambient_capabilities;
	uint64_t wanted = read_set(words), lacking;

	/* All that there are, but those. */
	if (words->count > 0 && words->word[0][0] == '~')
		wanted &= own & ~sandbox->dropped;
	if ((wanted & sandbox->dropped) != 0)
		return sandbox_mistake(maker, "ambient_capabilities",
		    "'%s' is not in capability_bounding_set",
		    capability_name(first_of(wanted & sandbox->dropped)));
	lacking = wanted & ~own;
	sandbox->ambient = wanted & own;
	if (lacking == 0)
		return 0;
	return sandbox_lack(maker, -EPERM, "ambient_capabilities",
	    "the host has no '%s' to give; see 'capabilities' of the host",
	    capability_name(first_of(lacking)));
}

int
capabilities_new(struct sandbox_maker *maker, struct spawn_sandbox *sandbox)
{
	uint64_t bounds = own_bounding_set();
	int result = bound(maker, bounds, sandbox);

	return result < 0 ? result : give(maker, own_set(bounds), sandbox);
}

/* --- in the child ------------------------------------------------------------
 */

IN_CHILD int
confine_bound(const struct spawn_sandbox *sandbox)
{
	uint64_t left = sandbox->dropped;

	for (unsigned i = 0; left != 0; i++, left >>= 1)
		if ((left & 1) != 0 &&
		    syscall(SYS_prctl, PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return -1;
	return 0;
}

IN_CHILD int
confine_keep(const struct spawn_sandbox *sandbox)
{
	if (sandbox->ambient == 0)
		return 0;
	return (int)syscall(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

/* Nothing that the host has but these; root has what it is anyway. */
IN_CHILD int
confine_hand_on(const struct spawn_sandbox *sandbox, bool root)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	uint64_t left = sandbox->ambient;

	if (syscall(SYS_capget, &header, sets) < 0)
		return -1;
	for (unsigned i = 0; i < BASE_COUNT(sets); i++) {
		uint32_t word = (uint32_t)(sandbox->ambient >> (32 * i));

		sets[i].inheritable = word;
		if (root)
			continue;
		sets[i].permitted = word;
		sets[i].effective = word;
	}
	if (syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0,
		0) < 0 ||
	    syscall(SYS_capset, &header, sets) < 0)
		return -1;
	for (unsigned i = 0; left != 0; i++, left >>= 1)
		if ((left & 1) != 0 && syscall(SYS_prctl, PR_CAP_AMBIENT,
					   PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return -1;
	return 0;
}
