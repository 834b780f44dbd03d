/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of <berth/host.h>: what a service calls, bound to the rooms that
 * do it.  Every handle is checked; whatever is registered goes under the
 * instance's owner, so that the end of the instance revokes it.
 */

#include <errno.h>

#include "repository/repository_priv.h"
#include "stream/stream.h"

struct instance *
instance_of(struct berth_service *service)
{
	struct instance *instance = BASE_CONTAINER(
	    service, struct instance, public);

	BASE_ASSERT(instance->magic == INSTANCE_MAGIC);
	return instance;
}

bool
instance_is_here(struct instance *instance)
{
	return reactor_is_here(instance->repository->reactor);
}

BASE_PRINTF(3, 0)
static void
table_log(
    struct berth_service *service, int level, const char *format, va_list ap)
{
	struct instance *instance = instance_of(service);

	log_vprintf(
	    instance->repository->log, level, service->name, format, ap);
}

BASE_PRINTF(3, 0)
static int
table_fail(
    struct berth_service *service, int code, const char *format, va_list ap)
{
	struct instance *instance = instance_of(service);

	if (!instance_is_here(instance)) {
		table_log(service, BERTH_WARNING, format, ap);
		return code > 0 ? -code : -EINVAL;
	}
	if (instance->call != NULL) {
		text_reset(&instance->call->failure);
		text_vprintf(&instance->call->failure, format, ap);
	}
	return code > 0 ? -code : -EINVAL;
}

static int
table_listen(struct berth_service *service, const char *endpoint)
{
	struct instance *instance = instance_of(service);

	if (!instance_is_here(instance) || !instance->in_init)
		return -EPERM;
	return instance_listen(instance, endpoint);
}

static int
table_endpoints(struct berth_service *service)
{
	struct instance *instance = instance_of(service);

	if (!instance_is_here(instance))
		return -EPERM;
	return (int)server_listener_count(instance->server);
}

static int
table_post(struct berth_service *service, berth_post_fn *fn, void *arg)
{
	return reactor_post(&instance_of(service)->owner, fn, arg);
}

static int
table_command(struct berth_service *service, const char *line, unsigned flags,
    berth_reply_fn *reply, void *arg, struct berth_command **ret_command)
{
	struct instance *instance = instance_of(service);
	struct repository_doors *doors = &instance->repository->doors;

	if (!instance_is_here(instance))
		return -EPERM;
	if (instance->phase >= PHASE_FINISHED)
		return -ESHUTDOWN;
	return doors->command(
	    doors->context, service, line, flags, reply, arg, ret_command);
}

static void
table_command_cancel(
    struct berth_service *service, struct berth_command *command)
{
	struct repository_doors *doors =
	    &instance_of(service)->repository->doors;

	doors->command_cancel(doors->context, command);
}

static void
table_shutdown(struct berth_service *service)
{
	struct repository_doors *doors =
	    &instance_of(service)->repository->doors;

	doors->shutdown(doors->context);
}

static uint64_t
table_now(struct berth_service *service)
{
	struct instance *instance = instance_of(service);

	if (!instance_is_here(instance))
		return mono_now().ns;
	return reactor_now(instance->repository->reactor).ns;
}

BASE_PRINTF(2, 0)
static int
table_text(struct berth_text *public, const char *format, va_list ap)
{
	struct text *text = BASE_CONTAINER(public, struct text, public);

	return text_vprintf(text, format, ap);
}

static int
table_text_add(struct berth_text *public, struct berth_bytes bytes)
{
	struct text *text = BASE_CONTAINER(public, struct text, public);

	return text_add(text, bytes.data, bytes.size);
}

static int
table_add(struct berth_service *service, struct berth_handler *handler, int fd,
    unsigned mask)
{
	return reactor_add(&instance_of(service)->owner, handler, fd, mask);
}

static int
table_remove(struct berth_service *service, int fd, unsigned mask)
{
	return reactor_remove(&instance_of(service)->owner, fd, mask);
}

static int
table_mask(struct berth_service *service, int fd, unsigned off, unsigned on)
{
	return reactor_mask(&instance_of(service)->owner, fd, off, on);
}

static int
table_hold(
    struct berth_service *service, struct berth_handler *handler, int hold)
{
	return reactor_hold(&instance_of(service)->owner, handler, hold != 0);
}

static int
table_schedule(struct berth_service *service, struct berth_handler *handler,
    void *token, uint64_t delay_ns, uint64_t interval_ns,
    berth_timer_id *ret_id)
{
	return reactor_schedule(&instance_of(service)->owner, handler, token,
	    delay_ns, interval_ns, ret_id);
}

static int
table_cancel(struct berth_service *service, berth_timer_id id, void **ret_token)
{
	return reactor_cancel(&instance_of(service)->owner, id, ret_token);
}

static int
table_cancel_all(struct berth_service *service, struct berth_handler *handler)
{
	return reactor_cancel_all(&instance_of(service)->owner, handler);
}

static int
table_notify(
    struct berth_service *service, struct berth_handler *handler, unsigned mask)
{
	return reactor_notify(&instance_of(service)->owner, handler, mask);
}

static int
table_purge(
    struct berth_service *service, struct berth_handler *handler, unsigned mask)
{
	return reactor_purge(&instance_of(service)->owner, handler, mask);
}

static int
table_thread_start(struct berth_service *service, const char *name,
    berth_thread_fn *run, void *arg)
{
	return threads_start(instance_of(service), name, run, arg);
}

static int
table_thread_stop_fd(struct berth_thread *thread)
{
	BASE_ASSERT(thread->magic == THREAD_MAGIC);
	return thread->instance->stop_fd;
}

static struct berth_service *
table_thread_service(struct berth_thread *thread)
{
	BASE_ASSERT(thread->magic == THREAD_MAGIC);
	return &thread->instance->public;
}

static int
table_connect(struct berth_service *service,
    const struct berth_connect_options *options,
    struct berth_connector **ret_connector)
{
	struct instance *instance = instance_of(service);

	if (!instance_is_here(instance))
		return -EPERM;
	return connector_new(&instance->connectors, options, ret_connector);
}

static int
table_connect_again(
    struct berth_service *service, struct berth_connector *connector)
{
	if (!instance_is_here(instance_of(service)))
		return -EPERM;
	return connector_again(connector);
}

static void
table_connect_end(
    struct berth_service *service, struct berth_connector *connector)
{
	BASE_ASSERT(instance_is_here(instance_of(service)));
	connector_free(connector);
}

static int
table_connect_wait(
    struct berth_service *service, const struct berth_connect_options *options)
{
	struct instance *instance = instance_of(service);

	return connector_wait(
	    options, instance_is_here(instance), instance->stop_fd);
}

const struct berth_host repository_host_table = {
    .magic = BERTH_MAGIC,
    .abi_major = BERTH_ABI_MAJOR,
    .abi_minor = BERTH_ABI_MINOR,
    .size = sizeof(struct berth_host),
    .log = table_log,
    .fail = table_fail,
    .listen = table_listen,
    .endpoints = table_endpoints,
    .post = table_post,
    .command = table_command,
    .command_cancel = table_command_cancel,
    .shutdown = table_shutdown,
    .now = table_now,
    .text = table_text,
    .text_add = table_text_add,
    .write = session_write,
    .vprintf = session_vprintf,
    .writable = session_writable,
    .close = session_close,
    .abort = session_abort,
    .pause = session_pause,
    .session_timeout = session_timeout,
    .peer = session_peer,
    .local = session_local,
    .peer_user = session_peer_user,
    .session_id = session_id,
    .add = table_add,
    .remove = table_remove,
    .mask = table_mask,
    .hold = table_hold,
    .schedule = table_schedule,
    .cancel = table_cancel,
    .cancel_all = table_cancel_all,
    .notify = table_notify,
    .purge = table_purge,
    .thread_start = table_thread_start,
    .thread_stop_fd = table_thread_stop_fd,
    .thread_service = table_thread_service,
    .messages = &message_calls,
    .streams = &stream_calls,
    .filters = &chain_calls,
    .peek = session_peek,
    .take = session_take,
    .sleep = session_sleep,
    .deadline = session_deadline,
    .stream_find = places_find_stream,
    .stream_release = places_release_stream,
    .hand_over = heir_hand_over,
    .heirs = heir_each,
    .half_close = session_half_close,
    .connect = table_connect,
    .connect_again = table_connect_again,
    .connect_end = table_connect_end,
    .connect_wait = table_connect_wait,
    .log_sink_add = sinks_add,
    .log_sink_remove = sinks_remove,
    .stream_watch = watches_add,
    .stream_watch_end = watches_remove,
    .sender_keep = sender_keep,
    .sender_write = sender_write,
    .sender_forget = sender_forget,
    .splice = session_splice,
};
