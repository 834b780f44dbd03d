/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capabilities: what the process gives up at its start, for good.
 *
 * Without an order, a host that is root keeps what some attribute, endpoint
 * or plain file of it can ask for at a later reload, and gives up the rest:
 * the kernel's modules, its clock, other processes' memory.  The bounding set
 * stays, so that a program that runs as root is what root is elsewhere.
 *
 * With an order (`capabilities = NAME ...`) exactly that is kept, as far as it
 * was there, and the bounding set is cut as well: no program has more.  What
 * the configuration asks for beyond it is told by those who judge rights, at
 * the service's place.
 *
 * The rest of the house asks the kernel what it may do: nothing is kept here.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "main/main.h"

static bool
has_word(const struct word_list *words, const char *word)
{
	for (unsigned i = 0; i < words->count; i++)
		if (strcmp(words->word[i], word) == 0)
			return true;
	return false;
}

static void
tell(struct errors *errors, int error, const char *what)
{
	errors_add(errors, SEVERITY_ERROR, -error, NULL,
	    "the host cannot give capabilities up: %s", what);
}

#ifdef HAVE_CAPNG
#include <cap-ng.h>

/* What the host can come to use, and what of it does. */
static const unsigned usable[] = {
    CAP_NET_BIND_SERVICE, /* ports */
    CAP_NET_ADMIN,	  /* mark, transparent, ip_tos */
    CAP_NET_RAW,	  /* bind_to_device, transparent */
    CAP_SETUID, CAP_SETGID, CAP_SYS_CHROOT, CAP_SYS_NICE,
    CAP_SYS_RESOURCE, /* programs, and descriptors */
    CAP_KILL,	      /* the end of a program */
    CAP_SETPCAP,      /* what a program can ever have */
    CAP_CHOWN, CAP_FOWNER, CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH, /* sockets, logs, lists, plugins */
};

static bool
is_usable(unsigned capability)
{
	for (size_t i = 0; i < BASE_COUNT(usable); i++)
		if (usable[i] == capability)
			return true;
	return false;
}

static bool
is_kept(const struct word_list *order, unsigned capability)
{
	const char *name = capng_capability_to_name(capability);

	if (!order->is_set)
		return is_usable(capability);
	return name != NULL && has_word(order, name);
}

static int
give_up(const struct word_list *order)
{
	unsigned sets = CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE;
	bool cuts;

	if (capng_get_caps_process() < 0)
		return -1;
	cuts = order->is_set &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	if (cuts)
		sets |= CAPNG_BOUNDING_SET;
	/* The library refuses numbers that this kernel does not know. */
	for (unsigned i = 0; i <= CAP_LAST_CAP; i++)
		if (!is_kept(order, i))
			(void)capng_update(CAPNG_DROP, (capng_type_t)sets, i);
	if (cuts && capng_apply(CAPNG_SELECT_BOUNDS) < 0)
		return -1;
	return capng_apply(CAPNG_SELECT_CAPS);
}

void
capabilities_settle(const struct word_list *order, struct errors *errors)
{
	if (has_word(order, "keep") || (!order->is_set && geteuid() != 0))
		return;
	errno = 0;
	if (give_up(order) < 0)
		tell(errors, errno != 0 ? errno : EPERM,
		    strerror(errno != 0 ? errno : EPERM));
}

#else

void
capabilities_settle(const struct word_list *order, struct errors *errors)
{
	if (order->is_set && !has_word(order, "keep"))
		tell(errors, ENOTSUP,
		    "it was built without libcap-ng; only 'capabilities = "
		    "keep' is possible");
}

#endif
