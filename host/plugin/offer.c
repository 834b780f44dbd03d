/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * offer: copies of plugins that somebody else has made and judged: a worker is
 * handed the one of its host, so that all workers of a service run the same
 * build, whatever became of the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "plugin/plugin_priv.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static struct offered *
offer_free(struct offered *offer)
{
	if (!offer)
		return NULL;
	fd_close(&offer->memfd);
	free(offer->path);
	free(offer);
	return NULL;
}

int
plugins_offer(struct plugins *plugins, const char *path, int fd)
{
	struct offered *offer = calloc(1, sizeof(*offer));
	int seals = fcntl(fd, F_GET_SEALS);

	if (!offer) {
		fd_close(&fd);
		return -ENOMEM;
	}
	offer->memfd = fd;
	offer->path = strdup(path);
	if (!offer->path || seals < 0 || (seals & SEALS) != SEALS) {
		int r = offer->path ? -EINVAL : -ENOMEM;

		offer_free(offer);
		return r;
	}
	LIST_INSERT_HEAD(&plugins->offers, offer, link);
	return 0;
}

int
offer_open(const struct plugins *plugins, const char *path, int *ret_memfd)
{
	const struct offered *offer;
	int fd;

	LIST_FOREACH (offer, &plugins->offers, link)
		if (strcmp(offer->path, path) == 0)
			break;
	if (!offer)
		return -ENOENT;
	fd = fcntl(offer->memfd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	*ret_memfd = fd;
	return 0;
}

void
offers_drop(struct plugins *plugins)
{
	struct offered *offer = LIST_FIRST(&plugins->offers), *next;

	for (; offer; offer = next) {
		next = LIST_NEXT(offer, link);
		offer_free(offer);
	}
	LIST_INIT(&plugins->offers);
}
