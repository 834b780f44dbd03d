/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repository_priv: what the files of the room share.
 */
#ifndef REPOSITORY_REPOSITORY_PRIV_H
#define REPOSITORY_REPOSITORY_PRIV_H

#include <pthread.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->hash_failed = true)
#include <uthash.h>

#include "repository/repository.h"
#include "session/chain.h"
#include "session/connector.h"
#include "stream/stream.h"

#define INSTANCE_MAGIC 0x494e5354u
#define THREAD_MAGIC 0x54485244u

TAILQ_HEAD(record_list, record);
TAILQ_HEAD(instance_list, instance);
LIST_HEAD(thread_list, berth_thread);

struct repository {
	struct reactor *reactor;
	struct listeners *listeners;
	struct guards *guards;
	struct ledgers *ledgers;
	struct groups *groups;
	const struct server_wrapper *wrapper;
	struct loops *loops;
	struct log *log;
	struct spawn_host *processes;
	struct repository_doors doors;
	struct reactor_owner owner;
	struct record *by_name; /* uthash, reserved ones included */
	struct record_list order;
	unsigned count;
	struct instance_list loose;  /* retired, and in no record */
	LIST_HEAD(, around) arounds; /* that no connection gets any more */
	/* As the last ones without endpoints had them: a reference, or NULL. */
	const struct settings *common;
	LIST_HEAD(, berth_stream_watch) watches;
	struct reactor_deferred watch_turn;
	bool watch_queued;
	uint64_t walks;
	bool stopping;
	bool stopped_told;
};

struct record {
	UT_hash_handle hh;
	bool hash_failed;
	bool in_order; /* false: reserved only */
	TAILQ_ENTRY(record) link;
	struct repository *repository;
	struct instance *current;
	struct instance *coming;  /* prepared: found by those that come, too */
	struct instance *standby; /* in draining; goes on if current fails */
	struct instance_list draining;
	enum service_origin origin;
	unsigned generations;
	uint64_t walk; /* the last that has seen it: record_mark() */
	char name[];
};

/* How far the end of an instance has come. */
enum instance_phase {
	PHASE_RUNS,
	PHASE_SESSIONS, /* the server drains */
	PHASE_THREADS,	/* stop was signalled; join them */
	PHASE_WAITS,	/* shutdown: a later one has to finish first */
	PHASE_FINISHED	/* waits for the end of the turn */
};

/* While a hook runs: what is said of its failure, and where. */
struct hook_call {
	struct text failure; /* berth_fail()'s words */
	struct errors *errors;
	unsigned told_before;
	const struct place *place;
	struct hook_call *outer; /* of the same instance, or NULL */
};

struct instance {
	struct berth_service public; /* first: the service's handle */
	uint32_t magic;
	struct repository *repository;
	struct record *record;		     /* NULL: not committed, or loose */
	TAILQ_ENTRY(instance) link;	     /* in draining or loose */
	struct instance_list *list;	     /* the one it is in, or NULL */
	struct definition *definition;	     /* as last changed */
	struct definition *first_definition; /* holds the name and words */
	char **argv; /* the array that init was handed, of the first one */
	struct image *image;
	const struct berth_service_type *type;
	struct reactor_owner owner;
	struct connectors connectors;
	struct server *server;
	struct guard *guard;	  /* NULL: it never had rules */
	struct external *program; /* NULL: a type's code serves */
	/* Of a module or a stream: its hooks as a service's, and what it is. */
	struct berth_service_type *own_type;
	const struct berth_module_type *module; /* NULL: not one */
	struct stream *stream;			/* NULL: not one */
	struct chain_plan *around; /* of a stream; NULL: not yet, or stale */
	unsigned places; /* of a module: in streams; of a stream: its users */
	struct fleet *fleet; /* NULL: its code runs in this process */
	struct plugin_identity *copied; /* of the code of its workers */
	char *around_text; /* what stands around them; NULL: nothing */
	enum service_state state;
	enum instance_phase phase;
	unsigned generation;
	struct mono since;
	bool initialised;
	bool in_init;
	bool halted;	      /* exclusive: stopped, to be restarted or freed */
	uint32_t ready_in_ms; /* 0: ready; else ask again then */
	struct berth_handler poller; /* asks ready */
	struct mono ready_until;
	struct hook_call *call;	      /* NULL: no hook runs that may fail */
	unsigned attribute_endpoints; /* first among the server's */
	unsigned own_endpoints;	      /* then those of berth_listen() */
	struct thread_list threads;
	LIST_HEAD(, berth_log_sink) sinks;
	int stop_fd;		     /* -1 until a thread is started */
	struct berth_handler joiner; /* polls threads that shall end */
	struct mono deadline;
	uint64_t join_interval_ns;
	bool late_told;
	struct reactor_deferred deferred;
};

struct berth_thread {
	uint32_t magic;
	LIST_ENTRY(berth_thread) link;
	struct instance *instance;
	char *name;
	pthread_t id;
	berth_thread_fn *run;
	void *arg;
};

extern const struct berth_host repository_host_table;

struct instance *instance_of(struct berth_service *service); /* checked */
/* Does this thread run the service's own loop? */
bool instance_is_here(struct instance *instance);

/* definition.c */
int definition_new(struct repository *repository,
    const struct directive *directive, const struct settings *settings,
    const struct image *image, struct definition **ret_definition);
/* The words in another array, which init may permute. */
char **definition_own_words(const struct definition *definition);
int definition_resolve(struct definition *definition,
    const struct repository *repository, const struct directive *directive,
    struct errors *errors);

/* placement.c: a service in workers */
int placement_new(
    struct instance *instance, const struct server_options *options);
/* Makes the text that workers are handed, for its endpoints as they are. */
int placement_describe(struct instance *instance, struct definition *definition,
    const struct place *place, struct errors *errors);
void placement_update(struct instance *instance);
/* What init is to others. */
int placement_start(struct instance *instance, const struct place *place,
    struct errors *errors);

/* instance.c */
void instance_set_state(struct instance *instance, enum service_state state);
struct instance *instance_free(struct instance *instance);
int instance_make_server(struct instance *instance, struct server **ret_server);
/* The one before is gone. */
void instance_set_server(struct instance *instance, struct server *server);

bool threads_join_within(struct instance *instance, int seconds);

/* places.c */
int instance_make_parts_of_stream(
    struct instance *instance, const struct berth_service_type *type);
/* Its stream's threads, and the places that it has in streams. */
bool places_left(struct instance *instance);
void places_free(struct instance *instance);
void places_tell(const struct instance *instance, struct text *text);
int places_find_stream(struct berth_service *service, const char *name,
    struct berth_stream **ret_stream);
void places_release_stream(
    struct berth_service *service, struct berth_stream *stream);

/* exclusive.c: ends it here and now, sessions and all, but keeps the object
 * and its endpoints.  Negative, told at place, when a thread does not end. */
int instance_halt(struct instance *instance, const struct place *place,
    struct errors *errors);

/* around.c: a server's way to the modules around its connections. */
int instance_find_around(void *context, struct chain_plan **ret_plan);
/* The stream has changed, or ends. */
void around_forget(struct instance *stream);
/* Frees what nobody uses any more. */
void around_sweep(struct repository *repository);

/* hooks.c */
/* Between the two the service's failures go to these errors at this place; the
 * second gives the hook's result, made negative, and tells a failure. */
void instance_hook_begins(struct instance *instance, struct hook_call *call,
    const struct place *place, struct errors *errors);
int instance_hook_ends(struct instance *instance, const char *hook, int result);
void instance_fini(struct instance *instance);
/* 0, or negative and told; instance->ready_in_ms is set. */
int instance_ask_ready_again(struct instance *instance, struct errors *errors);

/* ready.c */
void ready_begin(struct instance *instance);
void ready_end(struct instance *instance);

/* endpoints.c */
int instance_listen(struct instance *instance, const char *word);

/* retire.c */
void instance_drained(void *context);
void instance_stuck(void *context); /* a session's hook does not return */
void instance_finish_waiting(struct instance *instance);
void repository_step(struct repository *repository);

/* repository.c */
void record_unlist(struct record *record, struct instance *instance);
void record_settle(struct record *record); /* current is good */
void record_roll_back(struct record *record, struct errors *errors);

/* threads.c */
int threads_start(struct instance *instance, const char *name,
    berth_thread_fn *run, void *arg);
void threads_signal(struct instance *instance);
/* Joins those that have ended; true when none is left. */
bool threads_join(struct instance *instance);

/* watches.c */
int watches_add(struct berth_service *service, const char *name,
    berth_stream_watch_fn *fn, void *arg,
    struct berth_stream_watch **ret_watch);
void watches_remove(
    struct berth_service *service, struct berth_stream_watch *watch);
/* A stream may have come or gone: tells those who watch, soon. */
void watches_look(struct repository *repository);
void watches_free(struct instance *instance);

/* log_sinks.c */
int sinks_add(struct berth_service *service, berth_log_fn *fn, void *arg,
    struct berth_log_sink **ret_sink);
void sinks_remove(struct berth_service *service, struct berth_log_sink *sink);
/* Its state has changed. */
void sinks_follow(struct instance *instance);
/* They are called no more, but may still be removed. */
void sinks_stop(struct instance *instance);
void sinks_free(struct instance *instance);

/* heirs.c: connections handed over, for the table */
int heir_hand_over(struct berth_session *session, const char *name);
void heir_each(struct berth_service *service,
    void (*each)(void *arg, const char *name), void *arg);

#endif
