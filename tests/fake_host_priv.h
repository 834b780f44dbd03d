/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_host_priv: what the files of the fake host share.
 */
#ifndef TESTS_FAKE_HOST_PRIV_H
#define TESTS_FAKE_HOST_PRIV_H

#include "fake_host.h"

enum fake_kind { FAKE_DESCRIPTOR, FAKE_TIMER, FAKE_POST, FAKE_NOTIFICATION };

struct fake_registration {
	TAILQ_ENTRY(fake_registration) link;
	enum fake_kind kind;
	struct berth_service *service;
	struct berth_handler *handler;
	int fd;
	unsigned mask;
	bool held;
	uint64_t id;
	uint64_t due_ns;
	uint64_t interval_ns;
	void *arg; /* token of a timer, argument of a post */
	berth_post_fn *fn;
};

/* Ends the test with a message. */
#define FAKE_CHECK(x)                                                          \
	((x) ? (void)0 : fake_check_failed(#x, __FILE__, __LINE__))
_Noreturn void fake_check_failed(const char *what, const char *file, int line);

void *fake_alloc(size_t size); /* zeroed */
void fake_buffer_init(struct fake_buffer *buffer);
void fake_buffer_fini(struct fake_buffer *buffer);
void fake_buffer_add(struct fake_buffer *buffer, const void *data, size_t size);
BERTH_PRINTF(2, 0)
void fake_buffer_vprintf(
    struct fake_buffer *buffer, const char *format, va_list ap);
void fake_buffer_cut(struct fake_buffer *buffer, size_t front);

static inline struct fake_host *
fake_host_of(struct berth_service *service)
{
	FAKE_CHECK(service->host->magic == BERTH_MAGIC);
	return (struct fake_host *)(void *)(uintptr_t)service->host;
}

/* Each file fills its part of the table. */
void fake_reactor_table(struct berth_host *table);
void fake_session_table(struct berth_host *table);
void fake_thread_table(struct berth_host *table);

/* Drops what a service left behind, all of it for NULL. */
void fake_reactor_revoke(struct fake_host *host, struct fake_service *service);
/* Signals and joins the threads of a service, all of them for NULL. */
void fake_thread_stop(struct fake_host *host, struct berth_service *service);

#endif
