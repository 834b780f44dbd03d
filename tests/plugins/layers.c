/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules for streams, and a service that sends what its clients say through
 * the stream whose name it was given.
 */
#include <berth/berth.h>
#include <errno.h>

/* --- sign: adds its word to what goes by, both ways ------------------------*/

struct sign {
	const char *word;
};

static int
sign_init(struct berth_service *service, int argc, char **argv)
{
	struct sign *sign = service->state;

	if (argc > 2)
		return berth_fail(service, EINVAL, "one word at most");
	sign->word = argc == 2 ? argv[1] : "?";
	berth_log(service, BERTH_NOTICE, "init %s", sign->word);
	return 0;
}

static void
sign_fini(struct berth_service *service)
{
	berth_log(service, BERTH_NOTICE, "fini");
}

static void
sign_suspend(struct berth_service *service)
{
	berth_log(service, BERTH_NOTICE, "suspended");
}

static int
sign_resume(struct berth_service *service)
{
	berth_log(service, BERTH_NOTICE, "resumed");
	return 0;
}

static int
sign_open(struct berth_side *side)
{
	const struct sign *sign = side->module->state;

	if (sign->word[0] == '!')
		return berth_fail(side->module, EPROTO, "told not to open");
	berth_log(side->module, BERTH_NOTICE, "open");
	return 0;
}

static void
sign_close(struct berth_side *side)
{
	berth_log(side->module, BERTH_NOTICE, "close");
}

static int
sign_put(struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	const struct sign *sign = side->module->state;
	int result = berth_message_add(m, berth_str(sign->word));

	return result != 0 ? result : berth_put_next(side, m, deadline_ns);
}

BERTH_MODULE(make_sign, .summary = "signs what goes by",
    .state_size = sizeof(struct sign), .init = sign_init, .fini = sign_fini,
    .suspend = sign_suspend, .resume = sign_resume,
    .down = {.open = sign_open, .close = sign_close, .put = sign_put},
    .up = {.put = sign_put});

/* --- turn: sends back what comes -------------------------------------------*/

static int
turn_put(struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	return berth_reply(side, m, deadline_ns);
}

BERTH_MODULE(
    make_turn, .summary = "sends back what comes", .down = {.put = turn_put});

/* --- relay: a thread of its own --------------------------------------------*/

static void
relay_svc(struct berth_side *side)
{
	struct berth_message *m;

	while (berth_getq(side, &m, BERTH_WAIT) == 0) {
		if (berth_put_next(side, m, BERTH_WAIT) != 0)
			berth_message_release(m);
	}
}

BERTH_MODULE(make_relay, .summary = "hands on in a thread of its own",
    .down = {.svc = relay_svc});

/* --- a service upon a stream -----------------------------------------------*/

struct upon {
	struct berth_stream *stream;
};

static int
upon_init(struct berth_service *service, int argc, char **argv)
{
	struct upon *upon = service->state;

	if (argc != 2)
		return berth_fail(service, EINVAL, "the name of a stream");
	if (berth_stream_find(service, argv[1], &upon->stream) != 0)
		return berth_fail(service, ENOENT, "no stream '%s'", argv[1]);
	return 0;
}

static void
upon_fini(struct berth_service *service)
{
	struct upon *upon = service->state;

	berth_stream_release(service, upon->stream);
}

/* Waits for the answer: this is a test. */
static int
upon_input(struct berth_session *session, struct berth_bytes in)
{
	struct upon *upon = session->service->state;
	struct berth_message *m = berth_message_make(session->service, in.size);
	int result;

	if (m == NULL)
		return -ENOMEM;
	(void)berth_message_add(m, in);
	result = berth_stream_put(upon->stream, m, BERTH_WAIT);
	if (result != 0) {
		berth_message_release(m);
		return result;
	}
	result = berth_stream_get(upon->stream, &m, BERTH_WAIT);
	if (result != 0)
		return result;
	(void)berth_write(session, berth_message_bytes(m));
	berth_message_release(m);
	return (int)in.size;
}

/* --- the same upon whichever stream has the name ---------------------------*/

struct follow {
	struct upon upon; /* first */
	struct berth_service *service;
	struct berth_stream_watch *watch;
	int tells; /* how often it still wants to be told; -1: always */
};

static void
follow_take(void *arg, struct berth_stream *stream)
{
	struct follow *follow = arg;

	berth_log(follow->service, BERTH_NOTICE, "%s",
	    stream == NULL		  ? "has no stream"
	    : follow->upon.stream == NULL ? "has a stream"
					  : "has another stream");
	follow->upon.stream = stream;
	if (follow->tells > 0 && --follow->tells == 0) {
		berth_stream_watch_end(follow->service, follow->watch);
		follow->upon.stream = NULL;
		follow->watch = NULL;
	}
}

static int
follow_init(struct berth_service *service, int argc, char **argv)
{
	struct follow *follow = service->state;

	if (argc < 2)
		return berth_fail(service, EINVAL, "the name of a stream");
	follow->service = service;
	follow->tells = argc > 2 ? argv[2][0] - '0' : -1;
	return berth_stream_watch(
	    service, argv[1], follow_take, follow, &follow->watch);
}

static int
follow_input(struct berth_session *session, struct berth_bytes in)
{
	struct follow *follow = session->service->state;

	if (follow->upon.stream == NULL)
		return berth_write(session, berth_str("none\n")) < 0
			   ? -EPIPE
			   : (int)in.size;
	return upon_input(session, in);
}

BERTH_SERVICE(make_follow, .summary = "follows the stream of a name",
    .state_size = sizeof(struct follow), .init = follow_init,
    .session = {.input = follow_input});

BERTH_SERVICE(make_upon, .summary = "sends clients' words through a stream",
    .state_size = sizeof(struct upon), .init = upon_init, .fini = upon_fini,
    .session = {.input = upon_input});
