/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/service.h>: a service, its five hooks, and what it may ask of the
 * host.  berth_service(3) is the manual.
 *
 * Every hook runs on the thread of the service's reactor and must not block:
 * while it runs, nobody else on that reactor is served.  The hooks of sessions
 * may run in other threads, several at once, if the type has BERTH_CONCURRENT
 * and svc.conf says so.  Calls marked [any thread] may be made from every
 * thread; all others belong to the reactor's, those with a session to the
 * thread that calls its hooks.  What fails for that reason gives -EPERM.
 */
#ifndef BERTH_SERVICE_H
#define BERTH_SERVICE_H

#include <berth/abi.h>
#include <berth/session.h>

struct berth_host;
struct berth_text; /* a text that the host keeps; see berth_text_printf() */

/*
 * One instance of a service.  The host makes it, and frees it after fini.
 */
struct berth_service {
	const struct berth_host *host; /* the host's table, <berth/host.h> */
	const char *name; /* from svc.conf; lives as long as the instance */
	void *state;	  /* type->state_size bytes, zeroed before init */
};

/* Flags of a type; a host refuses those that it does not know. */
#define BERTH_EXCLUSIVE 0x1u /* two instances can't be up at once */
#define BERTH_EPHEMERAL 0x2u /* its sessions end with the host, undrained */
/* Bytes stay in the connection until input has taken them, so that it can be
 * handed over; input takes all that it is offered, or hands over (1.1). */
#define BERTH_PEEKS 0x4u
#define BERTH_CONCURRENT 0x8u /* its session hooks may run in many threads */
#define BERTH_FLAGS_KNOWN                                                      \
	(BERTH_EXCLUSIVE | BERTH_EPHEMERAL | BERTH_PEEKS | BERTH_CONCURRENT)

/*
 * What a plugin's factory returns: constant, the same for every instance, good
 * for as long as the plugin is loaded.  A missing hook means the default:
 * success, or nothing.  Designated initializers leave out what is not needed;
 * a later interface adds its hooks there.
 */
struct berth_service_type {
	struct berth_type_header header;

	const char *summary; /* one line for people */
	uint32_t flags;	     /* BERTH_EXCLUSIVE and kin, or 0 */
	size_t state_size;   /* bytes of state for each instance */

	/*
	 * Start.  argv[0] is the service's name, argv[argc] is NULL; both
	 * live until fini returns.  The service owns its words: getopt(3) may
	 * permute argv.  0, or a negative errno with the reason told by
	 * berth_fail(); then nothing may be left behind and fini is not called.
	 */
	int (*init)(struct berth_service *, int argc, char **argv);

	/*
	 * End.  Called if and only if init succeeded, after the last session
	 * is closed.  What the service registered with the host is revoked
	 * by the host afterwards.
	 */
	void (*fini)(struct berth_service *);

	/* New sessions wait in the backlog from here on; sessions that are
	 * open go on.  Cannot fail.  Timers and handlers are the service's
	 * own to hold. */
	void (*suspend)(struct berth_service *);

	/* As init: 0, or a negative errno, and then it stays suspended. */
	int (*resume)(struct berth_service *);

	/* One line on what it does now, without a newline; cannot fail.
	 * Called for `list` and `show`, between init and fini.  Default: the
	 * summary. */
	void (*info)(struct berth_service *, struct berth_text *);

	/*
	 * State hand-over, when a running instance is replaced: save writes
	 * bytes in the form of this type's state_version; the new instance's
	 * restore is handed them after its init, with the version of the old.
	 * Either may fail with berth_fail(), which fails the replacement.
	 */
	uint32_t state_version;
	int (*save)(struct berth_service *, struct berth_text *);
	int (*restore)(
	    struct berth_service *, uint32_t version, struct berth_bytes);

	/*
	 * Is it fit to serve?  Asked after init: 0, yes; positive, ask again
	 * in so many milliseconds; negative, no, with berth_fail().  A
	 * replacement that says no, or does not say yes within ready_timeout,
	 * is rolled back, and the instance before it goes on.
	 */
	int (*ready)(struct berth_service *);

	/* What it does with its connections and datagrams. */
	struct berth_session_type session;
};

typedef const struct berth_service_type *(berth_service_factory_fn)(void);

/*
 * BERTH_SERVICE(make_echo, .summary = "…", .session = { .input = … });
 * exports the factory make_echo(), for `dynamic Echo Service_Object *
 * echo:make_echo()`.  Members are named in the order of the structure, so
 * that C++20 takes them too.  A file may have several.
 */
#define BERTH_SERVICE_TYPE_(symbol, object, ...)                               \
	{                                                                      \
		.header = BERTH_TYPE_HEADER(                                   \
		    BERTH_KIND_SERVICE, struct berth_service_type, symbol),    \
		__VA_ARGS__                                                    \
	}

#define BERTH_SERVICE(symbol_, ...)                                            \
	BERTH_NOTE(BERTH_KIND_SERVICE, BERTH_FORM_FACTORY,                     \
	    struct berth_service_type, symbol_);                               \
	BERTH_EXTERN_C BERTH_EXPORT const struct berth_service_type *symbol_(  \
	    void);                                                             \
	const struct berth_service_type *symbol_(void)                         \
	{                                                                      \
		static const struct berth_service_type berth_type_ =           \
		    BERTH_SERVICE_TYPE_(symbol_, berth_type_, __VA_ARGS__);    \
		return &berth_type_;                                           \
	}                                                                      \
	struct berth_service

/* The same for the object form, `echo:echo_type` without parentheses. */
#define BERTH_SERVICE_OBJECT(symbol_, ...)                                     \
	BERTH_NOTE(BERTH_KIND_SERVICE, BERTH_FORM_OBJECT,                      \
	    struct berth_service_type, symbol_);                               \
	BERTH_EXTERN_C BERTH_EXPORT const struct berth_service_type symbol_;   \
	const struct berth_service_type symbol_ = BERTH_SERVICE_TYPE_(         \
	    symbol_, symbol_, __VA_ARGS__)

/* One row of the table of services that are linked into the host. */
struct berth_static_service {
	const char *name; /* as `static NAME` and `:NAME()` call it */
	berth_service_factory_fn *make;
	const char *alias; /* a second name, or NULL */
};

#endif
