/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repository: the services of a host by name, their states, the calls of the
 * five hooks, and who holds what.
 *
 * A record is a name; an instance is one running incarnation of it.  A record
 * has at most one current instance and any number that drain.  Instances are
 * made, bound and initialised outside of the repository first, so that all
 * that can fail has happened before a record changes.
 *
 * No lock is held over a hook, and no plugin is unloaded below a running
 * frame: what ends is finished at the end of the loop's turn.
 */
#ifndef REPOSITORY_REPOSITORY_H
#define REPOSITORY_REPOSITORY_H

#include "config/config.h"
#include "plugin/plugin.h"
#include "session/session.h"
#include "worker/worker_fleet.h"

struct repository;
struct record;
struct instance;

enum service_state {
	SERVICE_DECLARED, /* made, nothing of its code has run */
	SERVICE_STARTING, /* init runs, or has run and waits for the commit */
	SERVICE_ACTIVE,
	SERVICE_SUSPENDED,
	SERVICE_DRAINING, /* ends: sessions, then threads, then fini */
	SERVICE_FAILED /* ended but for what it holds: see instance_holders */
};

const char *service_state_name(enum service_state state);

/* Who said that a service is there: decides what `exact` may remove. */
enum service_origin { ORIGIN_FILE, ORIGIN_OTHER };

/* What an instance was made from: a directive's copy that outlives its tree.
 * It is one piece of memory, with its words behind it; what most services have
 * alike is shared. */
struct definition {
	enum directive_kind kind;
	const char *name;
	uint32_t type;
	const char *path;
	const char *symbol;
	bool factory;
	bool inactive;
	int argc;
	char **argv;
	const struct settings *settings; /* a reference, settings_keep() */
	/* The image's, its workers', or of zeros. */
	const struct plugin_identity *identity;
	struct arena *arena; /* of the two below; NULL: it has neither */
	/* Of its processes, a program or workers; NULL: not resolved, or it
	 * has none. */
	struct spawn_template *program;
	const char *work;	   /* what its workers are handed; NULL: none */
	struct guard_rules *rules; /* NULL: it asks nothing, or not resolved */
	struct ledger *ledger;	   /* NULL: no lines, or not resolved */
	struct server_retired retired; /* when it has been replaced */
};

/* The way from a service's handle to the rest of the host; control's. */
struct repository_doors {
	int (*command)(void *context, struct berth_service *service,
	    const char *line, unsigned flags, berth_reply_fn *reply, void *arg,
	    struct berth_command **ret_command);
	void (*command_cancel)(void *context, struct berth_command *command);
	/* The service ends: drop its commands. */
	void (*forget)(void *context, struct berth_service *service);
	void (*shutdown)(void *context); /* [any thread] */
	/* After repository_shutdown(): nothing is left. */
	void (*stopped)(void *context);
	void *context;
};

struct repository_options {
	struct reactor *reactor;
	struct listeners *listeners;
	struct ledgers *ledgers; /* NULL: no service has lines */
	/* NULL: no service can be wrapped. */
	const struct server_wrapper *wrapper;
	struct loops *loops; /* NULL: only the reactor's */
	struct log *log;
	struct spawn_host *processes; /* NULL: as in a host of its own */
	struct groups *groups;	      /* NULL: no limits of control groups */
	struct repository_doors doors;
};

int repository_new(const struct repository_options *options,
    struct repository **ret_repository);
/* Ends at once what still runs: sessions are aborted, fini is called in
 * reverse order, threads get a second to end. */
struct repository *repository_free(struct repository *repository);

/* Drains all at once and finishes them in reverse order, then stopped(). */
void repository_shutdown(struct repository *repository, uint64_t drain_ns);

/* --- instances, before and after they are in the repository --- */

/* Can it be driven as its settings say?  flags: its type's; BERTH_CONCURRENT
 * as long as they are not known.  -ENOTSUP, told at its name. */
int repository_check_concurrency(
    const struct directive *directive, uint32_t flags, struct errors *errors);
/* Can its clients be judged as its settings say?  -EINVAL, told at its name. */
int repository_check_access(
    const struct directive *directive, struct errors *errors);
/* Can the workers of such a service be started?  For a plan, as
 * external_check(); of other services nothing is asked. */
int repository_check_workers(const struct repository *repository,
    struct arena *arena, const struct directive *directive,
    struct errors *errors);
/* Those that it was made with. */
struct groups *repository_groups(const struct repository *repository);
/* Copies the directive; takes the image's reference, also when it fails.
 * Nothing of the service's code runs. */
int instance_new(struct repository *repository,
    const struct directive *directive, struct image *image,
    const struct berth_service_type *type, struct instance **ret_instance);
/* Does the service run in workers?  Its code is not run here then. */
bool definition_has_workers(const struct settings *settings, uint32_t type);
/* The copy of the code for its workers; takes fd. */
int instance_set_plugin(
    struct instance *instance, int fd, const struct plugin_identity *identity);
/* The stream around its connections, as directives for its workers, copied;
 * NULL: none. */
int instance_set_around(struct instance *instance, const char *directives);
const char *instance_around(const struct instance *instance);
/* One more copy of code for its workers, of the stream; takes fd. */
int instance_add_plugin(struct instance *instance, const char *path, int fd);
/* NULL: it has no workers. */
struct fleet *instance_fleet(const struct instance *instance);
/* Its processes that the kernel has ended for memory_max. */
uint64_t instance_starved(const struct instance *instance);
/* Opens what its lines go to.  Of a program: looks up its user, makes its
 * environment.  The definition is the instance's own, or one from
 * instance_prepare_settings(); mistakes are told at the directive's places. */
int instance_resolve(struct instance *instance, struct definition *prepared,
    const struct directive *directive, struct errors *errors);
/* Acquires the endpoints of its attributes, which are the directive's own, so
 * that errors are told at their places. */
int instance_bind(struct instance *instance, const struct settings *settings,
    struct errors *errors);
/*
 * Starts the code: the state of `before` (NULL: none) is saved if both know
 * how; `before` is halted if only one of the two can be up; init, restore, and
 * the first ready are called.  A failure is told at place with the service's
 * own words; then instance_end() this one and instance_restart() that one.
 */
int instance_init(struct instance *instance, struct instance *before,
    const struct place *place, struct errors *errors);
/* Can only one of the two be up?  Such a start comes last in a reload. */
bool instance_must_alternate(
    const struct instance *instance, const struct instance *before);
/* Ends an instance that has no sessions here and now, fini included. */
void instance_end(struct instance *instance);
/* Starts a halted one again as it was; if even that fails it is told, and the
 * service is SERVICE_FAILED until somebody resumes it.  Nothing, if it was not
 * halted. */
void instance_restart(struct instance *instance, const struct place *place,
    struct errors *errors);
/* Ends it in the background: no new sessions; those there are get drain_ns;
 * then threads, fini, revocation, unloading.  In every state after new. */
void instance_retire(struct instance *instance, uint64_t drain_ns);

const struct definition *instance_definition(const struct instance *instance);
struct server *instance_server(const struct instance *instance);
enum service_state instance_state(const struct instance *instance);
/* Suspended or failed: resuming it makes sense. */
bool instance_is_down(const struct instance *instance);
unsigned instance_generation(const struct instance *instance);
uint64_t instance_age_ms(const struct instance *instance);
const struct berth_service_type *instance_type(const struct instance *instance);
/* The info hook's line into text; "" without one. */
void instance_info(struct instance *instance, struct text *text);
/* "2 sessions, thread 'reader', 1 timer": why it is still there. */
void instance_holders(struct instance *instance, struct text *text);
/* Live settings: takes over what may change without a new instance. */
int instance_prepare_settings(struct instance *instance,
    const struct settings *settings, struct definition **ret_definition);
void instance_commit_settings(
    struct instance *instance, struct definition *definition);
struct definition *definition_free(struct definition *definition);
/* As the directive that it is a copy of, with these settings; it borrows the
 * words, and has no modules. */
void definition_directive(const struct definition *definition,
    struct settings *settings, struct directive *ret_directive);
void instance_set_inactive(struct instance *instance, bool inactive);

/* The endpoints that it would have with other attributes, those that it asked
 * for itself included.  The set is committed or freed. */
struct endpoint_set {
	struct listener **listeners;
	unsigned count;
};

int instance_prepare_endpoints(struct instance *instance,
    const struct settings *settings, struct errors *errors,
    struct endpoint_set *ret_set);
void endpoint_set_free(struct endpoint_set *set);
void instance_commit_endpoints(
    struct instance *instance, struct endpoint_set *set);

/* --- streams and their modules: places.c.  A module has a place in a stream;
 * what may fail is done before a commit, and undone in reverse --- */

bool instance_is_stream(const struct instance *instance);
/* Neither a stream nor a module. */
bool instance_is_service(const struct instance *instance);
/* A module that can stand around connections. */
bool instance_is_filter(const struct instance *instance);
/* The number of its modules; their names from the head on. */
unsigned instance_place_count(const struct instance *instance);
const char *instance_place_name(
    const struct instance *instance, unsigned index);

struct layer;

/* Opens a place in the stream for the module, not yet in its order. */
int place_open(struct instance *stream, struct instance *module,
    const struct place *place, struct errors *errors, struct layer **ret_layer);
struct layer *place_close(struct layer *layer); /* of place_open() */
/* The place of a module in a stream; NULL. */
struct layer *place_find(
    const struct instance *stream, const struct instance *module);
/* No message comes in, and none is left in it. */
int place_still(
    struct layer *layer, const struct place *place, struct errors *errors);
void place_free(struct layer *layer);
/* The commit, which counts at once for every message of the stream. */
void places_begin_change(struct instance *stream);
void places_end_change(struct instance *stream);
/* Behind another one from the head on, or on top (NULL); instead
 * of one that was made still; gone. */
void place_insert(struct layer *after, struct layer *layer);
void place_replace(struct layer *old, struct layer *layer);
void place_remove(struct layer *old);

/* The resume hook only, as a trial before a commit; undone by the suspend
 * hook.  A failure is told at place. */
int instance_try_resume(struct instance *instance, const struct place *place,
    struct errors *errors);
void instance_undo_resume(struct instance *instance);

/* --- records --- */

struct record *repository_find(struct repository *repository, const char *name);
/* In order of starting; NULL at the end. */
struct record *repository_first(struct repository *repository);
struct record *record_next(struct record *record);
unsigned repository_count(struct repository *repository);

const char *record_name(const struct record *record);
/* NULL while only old generations drain. */
struct instance *record_current(const struct record *record);
/* Of the current instance, or SERVICE_DRAINING. */
enum service_state record_state(const struct record *record);
enum service_origin record_origin(const struct record *record);
struct instance *record_first_draining(const struct record *record);
struct instance *instance_next_draining(const struct instance *instance);

/* Which records somebody has seen: a number for the walk, never given twice,
 * and the marks that he makes with it. */
uint64_t repository_begin_walk(struct repository *repository);
void record_mark(struct record *record, uint64_t walk);
bool record_is_marked(const struct record *record, uint64_t walk);

/* Memory for what a commit needs, so that it cannot fail. */
int repository_reserve(struct repository *repository, const char *name,
    struct record **ret_record);
void repository_unreserve(struct record *record);
/* What the record will hold, for others that are being prepared; NULL: it was
 * given up. */
void record_announce(struct record *record, struct instance *instance);

/* --- the commit: none of these can fail --- */

/* The instance becomes the record's current one, at the end of the order; the
 * one before it is retired.  Endpoints are switched without being closed. */
void record_start(struct record *record, struct instance *instance,
    enum service_origin origin, bool suspended);
void record_retire(struct record *record);
/* After instance_try_resume(). */
void record_resume(struct record *record);
void record_suspend(struct record *record);
void record_set_origin(struct record *record, enum service_origin origin);

#endif
