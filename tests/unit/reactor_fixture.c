/* SPDX-License-Identifier: BSD-2-Clause */
/* See reactor_fixture.h. */
#include "unit/reactor_fixture.h"

static struct probe *
probe_of(struct berth_handler *handler)
{
	return BASE_CONTAINER(handler, struct probe, handler);
}

static void
write_down(struct probe *p, char letter)
{
	struct record *record = p->record;

	if (record->size + 3 >= sizeof(record->text))
		return;
	record->text[record->size++] = letter;
	record->text[record->size++] = p->name;
	record->text[record->size++] = ' ';
}

static int
act(struct probe *p, char letter, int fd)
{
	int result = p->calls < BASE_COUNT(p->results) ? p->results[p->calls]
						       : 0;

	write_down(p, letter);
	p->calls++;
	if (p->act != NULL) {
		int told = p->act(p, fd);

		if (told != 0)
			result = told;
	}
	return result;
}

static int
probe_input(struct berth_handler *handler, int fd)
{
	struct probe *p = probe_of(handler);

	if (p->drain)
		fixture_drain(fd);
	return act(p, 'i', fd);
}

static int
probe_output(struct berth_handler *handler, int fd)
{
	return act(probe_of(handler), 'o', fd);
}

static int
probe_except(struct berth_handler *handler, int fd)
{
	return act(probe_of(handler), 'e', fd);
}

static int
probe_timeout(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct probe *p = probe_of(handler);

	(void)now_ns;
	p->token = token;
	return act(p, 't', -1);
}

static int
probe_signal(struct berth_handler *handler, int signum)
{
	struct probe *p = probe_of(handler);

	p->status = signum;
	return act(p, 's', -1);
}

static int
probe_child(struct berth_handler *handler, int pid, int code, int status)
{
	struct probe *p = probe_of(handler);

	p->code = code;
	p->status = status;
	return act(p, 'x', pid);
}

static void
probe_close(struct berth_handler *handler, int fd, unsigned mask)
{
	struct probe *p = probe_of(handler);

	write_down(p, 'c');
	p->close_fd = fd;
	p->close_mask = mask;
	p->closes++;
}

const struct berth_handler_type probe_type = {
    .input = probe_input,
    .output = probe_output,
    .except = probe_except,
    .timeout = probe_timeout,
    .signal = probe_signal,
    .child = probe_child,
    .close = probe_close,
};

void
probe_init(struct probe *probe, struct fixture *f, char name)
{
	*probe = (struct probe){
	    .handler.type = &probe_type,
	    .record = &f->record,
	    .name = name,
	    .close_fd = -2,
	};
}

void
fixture_pair(int ret_fds[2])
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		ret_fds),
	    0);
}

void
fixture_fill(int fd)
{
	static const char block[4096];

	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
}

void
fixture_drain(int fd)
{
	char block[4096];

	while (read(fd, block, sizeof(block)) > 0)
		;
}

void
fixture_feed(int fd)
{
	assert_int_equal(write(fd, "x", 1), 1);
}

void
fixture_close_pair(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static int
setup(void **state, struct reactor_options *options)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)alarm(300);
	atomic_store(&f->now_ns, 1000000);
	options->clock_context = f;
	assert_int_equal(reactor_new(options, &f->reactor), 0);
	assert_int_equal(reactor_owner_init(&f->owner, f->reactor, "test"), 0);
	*state = f;
	return 0;
}

int
fixture_setup(void **state)
{
	return setup(state, &(struct reactor_options){.clock = NULL});
}

static struct mono
told_clock(void *context)
{
	struct fixture *f = context;

	return (struct mono){atomic_load(&f->now_ns)};
}

int
fixture_setup_clock(void **state)
{
	return setup(state, &(struct reactor_options){
				.clock = told_clock, .reserve_timers = 100});
}

int
fixture_setup_limit(void **state)
{
	return setup(state, &(struct reactor_options){.max_notifications = 3});
}

int
fixture_turn_at(struct fixture *f, uint64_t ns)
{
	atomic_store(&f->now_ns, ns);
	return reactor_turn(f->reactor, 0);
}

int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	reactor_owner_fini(&f->owner);
	assert_null(reactor_free(f->reactor));
	free(f);
	return 0;
}

void
fixture_expect(struct fixture *f, const char *text)
{
	f->record.text[f->record.size] = '\0';
	if (f->record.size > 0)
		f->record.text[f->record.size - 1] = '\0';
	assert_string_equal(f->record.text, text);
	f->record.size = 0;
	f->record.text[0] = '\0';
}
