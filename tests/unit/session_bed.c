/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_bed: see session_bed.h.
 */
#include "unit/session_bed.h"

#include <dirent.h>
#include <poll.h>

struct stage *
stage_of(struct berth_session *session)
{
	return session->service->state;
}

int
stage_echo(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

/* --- hooks that keep notes -------------------------------------------------*/

static const struct berth_session_type *
wrapped(struct berth_session *session)
{
	return stage_of(session)->context;
}

static int
note_open(struct berth_session *session)
{
	const struct berth_session_type *type = wrapped(session);

	stage_of(session)->notes.opened++;
	return type->open != NULL ? type->open(session) : 0;
}

static void
note_closed(struct berth_session *session, int reason)
{
	const struct berth_session_type *type = wrapped(session);
	struct notes *notes = &stage_of(session)->notes;

	assert_true(notes->places < BASE_COUNT(notes->reasons));
	notes->reasons[notes->places++] = reason;
	notes->closed++;
	if (type->closed != NULL)
		type->closed(session, reason);
}

static void
note_drained(void *context)
{
	struct stage *stage = context;

	stage->notes.drained++;
}

static void
note_stuck(void *context)
{
	struct stage *stage = context;

	stage->notes.stuck++;
}

/* --- the stage -------------------------------------------------------------*/

static int
setup(void **state, void *bed)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	stage->bed = bed;
	stage->host.write = session_write;
	stage->host.vprintf = session_vprintf;
	stage->host.writable = session_writable;
	stage->host.close = session_close;
	stage->host.abort = session_abort;
	stage->host.pause = session_pause;
	stage->host.session_timeout = session_timeout;
	stage->host.peer = session_peer;
	stage->host.local = session_local;
	stage->host.session_id = session_id;
	stage->host.peek = session_peek;
	stage->host.take = session_take;
	stage->host.sleep = session_sleep;
	stage->host.deadline = session_deadline;
	stage->service.host = &stage->host;
	stage->service.name = "test";
	stage->service.state = stage;
	assert_int_equal(reactor_owner_init(&stage->owner, stage->bed->reactor,
			     stage->service.name),
	    0);
	*state = stage;
	return 0;
}

int
stage_setup(void **state)
{
	void *bed;

	bed_setup(&bed);
	return setup(state, bed);
}

int
stage_setup_ahead(void **state)
{
	void *bed;

	bed_setup_ahead(&bed);
	return setup(state, bed);
}

static bool
is_empty(void *context)
{
	return stage_counters(context)->sessions_active == 0;
}

int
stage_teardown(void **state)
{
	struct stage *stage = *state;
	void *bed = stage->bed;

	if (stage->server != NULL) {
		server_abort(stage->server, BERTH_CLOSED_ABORTED);
		bed_until(stage->bed, is_empty, stage);
		server_free(stage->server);
	}
	assert_int_equal(stage->owner.timers, 0);
	assert_int_equal(stage->owner.descriptors, 0);
	reactor_owner_fini(&stage->owner);
	bed_teardown(&bed);
	free(stage);
	return 0;
}

void
stage_serve(struct stage *stage, const struct berth_session_type *type,
    const char *endpoint)
{
	const struct server_options options = {
	    .owner = &stage->owner,
	    .service = &stage->service,
	    .type = &stage->type,
	    .settings = &stage->bed->settings,
	    .listeners = stage->bed->listeners,
	    .log = &stage->bed->log,
	    .stages = stage->stages,
	    .loops = stage->loops,
	    .drained = note_drained,
	    .stuck = note_stuck,
	    .context = stage,
	};
	/* The hooks find it there; it is the test's own static table. */
	union {
		const struct berth_session_type *from;
		void *to;
	} keep = {type};

	stage->context = keep.to;
	stage->type = *type;
	if (type->open != NULL || type->input != NULL || type->serve != NULL) {
		stage->type.open = note_open;
		stage->type.closed = note_closed;
	}
	assert_int_equal(server_new(&options, &stage->server), 0);
	stage->listener = bed_listen(stage->bed, endpoint);
	assert_int_equal(
	    server_add_listener(stage->server, stage->listener), 0);
	server_accept(stage->server, true);
}

void
stage_also(struct stage *stage, const char *endpoint)
{
	struct listener *listener = bed_listen(stage->bed, endpoint);

	assert_int_equal(server_add_listener(stage->server, listener), 0);
}

const struct server_counters *
stage_counters(struct stage *stage)
{
	server_counters(stage->server, &stage->counters);
	return &stage->counters;
}

/* --- conditions ------------------------------------------------------------*/

struct count {
	struct stage *stage;
	uint64_t wanted;
};

static bool
has_closed(void *context)
{
	struct count *count = context;

	return count->stage->notes.closed >= count->wanted;
}

static bool
has_opened(void *context)
{
	struct count *count = context;

	return count->stage->notes.opened >= count->wanted;
}

static bool
has_active(void *context)
{
	struct count *count = context;

	return stage_counters(count->stage)->sessions_active == count->wanted;
}

void
stage_until_closed(struct stage *stage, unsigned count)
{
	struct count context = {stage, count};

	bed_until(stage->bed, has_closed, &context);
}

void
stage_until_opened(struct stage *stage, unsigned count)
{
	struct count context = {stage, count};

	bed_until(stage->bed, has_opened, &context);
}

void
stage_until_active(struct stage *stage, uint64_t count)
{
	struct count context = {stage, count};

	bed_until(stage->bed, has_active, &context);
}

struct reader {
	int client;
	char *data;
	size_t size;
	size_t room;
	int result; /* of the end: 0 or errno; -1: none yet */
};

static bool
has_text(void *context)
{
	struct reader *reader = context;
	ssize_t got = recv(reader->client, reader->data + reader->size,
	    reader->room - reader->size, 0);

	if (got > 0)
		reader->size += (size_t)got;
	else if (got == 0 || errno != EAGAIN)
		fail_msg("the connection ended after '%.*s'", (int)reader->size,
		    reader->data);
	return reader->size == reader->room;
}

void
stage_expect(struct stage *stage, int client, const char *text)
{
	char data[4096];
	struct reader reader = {
	    .client = client, .data = data, .room = strlen(text)};

	assert_true(reader.room <= sizeof(data));
	bed_until(stage->bed, has_text, &reader);
	assert_memory_equal(data, text, reader.room);
}

static bool
has_ended(void *context)
{
	struct reader *reader = context;
	char data[65536];
	ssize_t got = recv(reader->client, data, sizeof(data), 0);

	if (got > 0)
		reader->size += (size_t)got;
	else if (got == 0 || errno != EAGAIN)
		reader->result = got == 0 ? 0 : errno;
	return reader->result >= 0;
}

int
stage_until_end(struct stage *stage, int client, size_t *ret_bytes)
{
	struct reader reader = {.client = client, .result = -1};

	bed_until(stage->bed, has_ended, &reader);
	if (ret_bytes != NULL)
		*ret_bytes = reader.size;
	return reader.result;
}

void
stage_send(struct stage *stage, int client, const char *text)
{
	(void)stage;
	assert_int_equal(
	    send(client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

void
stage_talk(struct stage *stage, int client, unsigned number)
{
	char text[32];

	snprintf(text, sizeof(text), "client %u", number);
	stage_send(stage, client, text);
	stage_expect(stage, client, text);
}

bool
stage_is_quiet(struct stage *stage, int client)
{
	struct pollfd look = {.fd = client, .events = POLLIN};

	bed_turn(stage->bed);
	return poll(&look, 1, 20) == 0;
}

static bool
is_named(const char *id, const char *prefix)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", id);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	if (fgets(name, sizeof(name), file) == NULL)
		name[0] = '\0';
	fclose(file);
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

unsigned
stage_count_threads(const char *prefix)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned count = 0;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += is_named(entry->d_name, prefix);
	closedir(dir);
	return count;
}

bool
stage_is_drained(void *context)
{
	struct stage *stage = context;

	return stage->notes.drained > 0;
}

bool
stage_is_stuck(void *context)
{
	struct stage *stage = context;

	return stage->notes.stuck > 0;
}

bool
stage_has_count(void *context)
{
	struct stage_wait *wait = context;

	return *wait->count == wait->wanted;
}

static void
release(struct server_retired *retired)
{
	struct stage_kept *kept = BASE_CONTAINER(
	    retired, struct stage_kept, retired);

	++*kept->released;
	free(kept);
}

struct stage_kept *
stage_keep(struct stage *stage, unsigned *released)
{
	struct stage_kept *kept = calloc(1, sizeof(*kept));

	assert_non_null(kept);
	kept->settings = stage->bed->settings;
	kept->retired.fn = release;
	kept->released = released;
	return kept;
}
