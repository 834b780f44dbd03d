/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clerk_page: the offset for other processes, in a file that they map.
 *
 * A reader takes the sequence, the rest, and the sequence again; if it was odd
 * or has changed, once more.  The file stays when the clerk goes, and says
 * then that nothing is known.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clerk.h"

int
page_open(struct clerk *clerk)
{
	struct page *page = MAP_FAILED;
	int fd, error = 0;

	fd = open(clerk->path,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(*page)) != 0)
		error = errno;
	else
		page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (error == 0 && page == MAP_FAILED)
		error = errno;
	close(fd);
	if (error != 0)
		return -error;
	clerk->page = page;
	page_write(clerk);
	return 0;
}

void
page_write(struct clerk *clerk)
{
	struct page *page = clerk->page;
	uint32_t sequence;

	if (page == NULL)
		return;
	/* Odd may be left of one that was killed. */
	sequence = __atomic_load_n(&page->sequence, __ATOMIC_RELAXED) | 1;
	__atomic_store_n(&page->sequence, sequence, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(page->magic, "BTSP", sizeof(page->magic));
	page->version = 1;
	page->servers = clerk->known;
	page->offset_ns = clerk->offset_ns;
	page->trip_ns = clerk->trip_ns;
	page->updated_ns = clock_ns(CLOCK_REALTIME);
	__atomic_store_n(&page->sequence, sequence + 1, __ATOMIC_RELEASE);
}

void
page_close(struct clerk *clerk)
{
	if (clerk->page == NULL)
		return;
	clerk->known = 0;
	page_write(clerk);
	munmap(clerk->page, sizeof(*clerk->page));
	clerk->page = NULL;
}
