/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fault walk: a reload that adds, updates, replaces, moves an endpoint,
 * resumes and removes, services of the host and programs, with access lists,
 * banners and files of lines, again and again, with the first, the second, the
 * third … allocation or system call failing, until one goes through.  After
 * each the host is as before or as wanted, never between; nothing leaks; and
 * the reload that nobody disturbs still works.
 *
 * The wraps stand in the link command (tests/unit/control.am).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/host_fixture.h"

/* --- the wraps --- */

static long countdown; /* 0: nothing fails */
static bool failed;    /* the countdown came to its end */
static bool paused;    /* what the test itself does */

static bool
fails(void)
{
	if (paused || countdown == 0 || --countdown != 0)
		return false;
	failed = true;
	return true;
}

#define WRAP(type, name, error, parameters, arguments)                         \
	type __real_##name parameters;                                         \
	type __wrap_##name parameters;                                         \
	type __wrap_##name parameters                                          \
	{                                                                      \
		if (fails()) {                                                 \
			errno = (error);                                       \
			return (type)FAILURE_##name;                           \
		}                                                              \
		return __real_##name arguments;                                \
	}

#define FAILURE_malloc NULL
#define FAILURE_calloc NULL
#define FAILURE_realloc NULL
#define FAILURE_reallocarray NULL
#define FAILURE_strdup NULL
#define FAILURE_strndup NULL
#define FAILURE_open -1
#define FAILURE_fstat -1
#define FAILURE_read -1
#define FAILURE_socket -1
#define FAILURE_setsockopt -1
#define FAILURE_bind -1
#define FAILURE_listen -1
#define FAILURE_getsockname -1
#define FAILURE_fchmod -1
#define FAILURE_chmod -1
#define FAILURE_epoll_ctl -1
#define FAILURE_eventfd -1
#define FAILURE_inotify_init1 -1
#define FAILURE_inotify_add_watch -1

WRAP(void *, malloc, ENOMEM, (size_t size), (size))
WRAP(void *, calloc, ENOMEM, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, ENOMEM, (void *at, size_t size), (at, size))
WRAP(void *, reallocarray, ENOMEM, (void *at, size_t count, size_t size),
    (at, count, size))
WRAP(char *, strdup, ENOMEM, (const char *text), (text))
WRAP(char *, strndup, ENOMEM, (const char *text, size_t size), (text, size))
WRAP(int, open, EMFILE, (const char *path, int flags, int mode),
    (path, flags, mode))
WRAP(int, fstat, EIO, (int fd, struct stat *status), (fd, status))
WRAP(ssize_t, read, EIO, (int fd, void *to, size_t size), (fd, to, size))
WRAP(int, socket, EMFILE, (int domain, int type, int protocol),
    (domain, type, protocol))
WRAP(int, setsockopt, ENOBUFS,
    (int fd, int level, int name, const void *value, socklen_t size),
    (fd, level, name, value, size))
WRAP(int, bind, EADDRINUSE, (int fd, const struct sockaddr *to, socklen_t size),
    (fd, to, size))
WRAP(int, listen, EADDRINUSE, (int fd, int backlog), (fd, backlog))
WRAP(int, getsockname, ENOBUFS, (int fd, struct sockaddr *to, socklen_t *size),
    (fd, to, size))
WRAP(int, fchmod, EPERM, (int fd, mode_t mode), (fd, mode))
WRAP(int, chmod, EPERM, (const char *path, mode_t mode), (path, mode))
WRAP(int, epoll_ctl, ENOSPC,
    (int epoll, int what, int fd, struct epoll_event *event),
    (epoll, what, fd, event))
WRAP(int, eventfd, EMFILE, (unsigned value, int flags), (value, flags))
WRAP(int, inotify_init1, EMFILE, (int flags), (flags))
WRAP(int, inotify_add_watch, ENOSPC, (int fd, const char *path, uint32_t mask),
    (fd, path, mask))

#define FAILURE_memfd_create -1
#define FAILURE_sendfile -1
#define FAILURE_dlopen NULL
#define FAILURE_pthread_create EAGAIN

WRAP(int, memfd_create, EMFILE, (const char *name, unsigned flags),
    (name, flags))
WRAP(ssize_t, sendfile, EIO, (int to, int from, off_t *at, size_t size),
    (to, from, at, size))
WRAP(void *, dlopen, ENOMEM, (const char *path, int flags), (path, flags))
WRAP(int, pthread_create, EAGAIN,
    (pthread_t * id, const pthread_attr_t *attributes, void *(*run)(void *),
	void *arg),
    (id, attributes, run, arg))

/* --- what is compared --- */

/* The lines that tell what is, without those that tell the time. */
static void
add_shown(struct fixture *f, const char *name, struct text *text)
{
	char line[64];
	struct text shown;
	const char *at;

	text_init(&shown);
	snprintf(line, sizeof(line), "show %s", name);
	assert_int_equal(host_command(f->host, line, 0, &shown), 0);
	for (at = text_string(&shown); *at != '\0'; at = strchr(at, '\n') + 1)
		if (strncmp(at, "since_ms", 8) != 0)
			text_add(text, at, strcspn(at, "\n") + 1);
	text_fini(&shown);
}

static unsigned
count_entries(const char *path)
{
	DIR *folder = opendir(path);
	unsigned count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

static unsigned threads_before; /* those of a sanitizer, too */

/* Nothing drains, and no thread is left of what ended: the watchdog's and the
 * one of Swap remain. */
static bool
quiet(struct fixture *f)
{
	struct text list;
	bool draining;

	text_init(&list);
	assert_int_equal(host_command(f->host, "list", 0, &list), 0);
	draining = strstr(text_string(&list), "draining") != NULL;
	text_fini(&list);
	return !draining &&
	       count_entries("/proc/self/task") == threads_before + 2;
}

static void
take_state(struct fixture *f, struct text *state)
{
	static const char *const names[] = {"Keep", "Change", "Swap", "Move",
	    "Take", "Sleep", "Lone", "Gone", "Plug", "Fresh", "Run", "Rerun",
	    "Start"};
	struct text list;

	paused = true;
	text_init(&list);
	text_init(state);
	fixture_until(f, quiet);
	fixture_settle(f);
	assert_int_equal(host_command(f->host, "list", 0, &list), 0);
	text_add(state, text_string(&list), list.size);
	for (size_t i = 0; i < BASE_COUNT(names); i++)
		if (strstr(text_string(&list), names[i]) != NULL)
			add_shown(f, names[i], state);
	text_fini(&list);
	paused = false;
}

#define PROBE " Service_Object * :probe() "
#define PROGRAM " Program * /bin/cat "
#define LONELY " Service_Object * :lonely() "

static const char before_conf[] =
    "host { reload = exact }\n"
    "dynamic Keep" PROBE "'k' { listen = unix:%s/keep }\n"
    "dynamic Change" PROBE "'c' { idle_timeout = 10 }\n"
    "dynamic Swap" PROBE "'1 thread' { listen = unix:%s/swap }\n"
    "dynamic Move" PROBE "{ listen = unix:%s/move }\n"
    "dynamic Take" PROBE "\n"
    "dynamic Sleep" PROBE "inactive\n"
    "dynamic Lone" LONELY "'1'\n"
    "dynamic Run" PROGRAM "'-u' { listen = unix:%s/run; env = A=b\n"
    "log_type = FILE %s/lines\n"
    "log_on_success = PID }\n"
    "dynamic Rerun" PROGRAM "'-u'\n"
    "{ listen = unix:%s/rerun }\n"
    "dynamic Gone" PROBE "{ listen = unix:%s/gone }\n";

static const char after_conf[] =
    "host { reload = exact; watch = yes; control = %s/control }\n"
    "dynamic Keep" PROBE "'k' { listen = unix:%s/keep }\n"
    "dynamic Change" PROBE "'c' { idle_timeout = 20 }\n"
    "dynamic Swap" PROBE "'2 thread timer' { listen = unix:%s/swap }\n"
    "dynamic Move" PROBE "\n"
    "dynamic Take" PROBE "{ listen = unix:%s/move }\n"
    "dynamic Sleep" PROBE "\n"
    "dynamic Lone" LONELY "'2'\n"
    "dynamic Run" PROGRAM "'-u' { listen = unix:%s/run; env = A=c\n"
    "log_type = FILE %s/more; log_on_success = HOST; log_on_failure = HOST\n"
    "only_from = 127.0.0.0/8 ::1 .example; no_access = file:%s/list\n"
    "banner = %s/banner; cps = 5; per_source = 3; only_users = 0\n"
    "access_times = 00:00-24:00 }\n"
    "dynamic Rerun" PROGRAM "'-n' { listen = unix:%s/rerun }\n"
    "dynamic Start" PROGRAM "{ listen = unix:%s/start; wait = yes }\n"
    "dynamic Plug Service_Object * %s/plug.so:make_banner()\n"
    "dynamic Fresh" PROBE "'f' { listen = tcp:127.0.0.1:0 unix:%s/fresh }\n";

static void
write_conf(struct fixture *f, const char *template)
{
	const char *in = f->folder;
	char conf[4096];

	paused = true;
	/* -Wformat-nonliteral: both templates stand above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(conf, sizeof(conf), template, in, in, in, in, in, in, in, in,
	    in, in, in, in, in);
#pragma GCC diagnostic pop
	fixture_write(f, "svc.conf", conf);
	paused = false;
}

static enum command_status
reload(struct fixture *f)
{
	enum command_status status;

	text_reset(&f->reply);
	status = host_command(
	    f->host, "reconfigure", COMMAND_CONTROL, &f->reply);
	countdown = 0;
	paused = true;
	fixture_settle(f);
	text_reset(&fixture_calls);
	text_reset(&f->logged);
	paused = false;
	return status;
}

struct walk {
	struct fixture f;
	struct text before, after;
	size_t memory;
	unsigned descriptors;
	unsigned refused, done;
};

static void
copy_plugin(struct fixture *f)
{
	const char *top = getenv("top_builddir");
	char command[512];

	snprintf(command, sizeof(command),
	    "cp %s/tests/plugins/.libs/banner1.so %s/plug.so && chmod 644 "
	    "%s/plug.so",
	    top != NULL ? top : ".", f->folder, f->folder);
	assert_int_equal(system(command), 0);
}

static void
begin(struct walk *walk)
{
	struct fixture *f = &walk->f;

	memset(walk, 0, sizeof(*walk));
	fixture_init(f, "");
	copy_plugin(f);
	fixture_write(f, "list", "192.0.2.0/24\n2001:db8::/32\n");
	fixture_write(f, "banner", "hello\n");
	threads_before = count_entries("/proc/self/task");
	write_conf(f, before_conf);
	assert_int_equal(fixture_start(f), 0);
	take_state(f, &walk->before);
	write_conf(f, after_conf);
	assert_int_equal(reload(f), COMMAND_OK);
	take_state(f, &walk->after);
	assert_string_not_equal(
	    text_string(&walk->before), text_string(&walk->after));
}

/* The host is in its first state; the ports that the kernel chose differ. */
static void
go_back(struct walk *walk)
{
	struct text now;

	write_conf(&walk->f, before_conf);
	assert_int_equal(reload(&walk->f), COMMAND_OK);
	take_state(&walk->f, &now);
	/* Order and generations tell of the way; states do not. */
	text_fini(&now);
}

static unsigned
count_lines(const struct text *text)
{
	unsigned count = 0;

	for (const char *at = text_string(text); *at != '\0'; at++)
		count += *at == '\n';
	return count;
}

/* Names and states, whatever the order. */
static bool
same_services(const struct text *now, const struct text *then)
{
	return count_lines(now) == count_lines(then) &&
	       (strstr(text_string(now), "Fresh") != NULL) ==
		   (strstr(text_string(then), "Fresh") != NULL) &&
	       (strstr(text_string(now), "Gone") != NULL) ==
		   (strstr(text_string(then), "Gone") != NULL) &&
	       (strstr(text_string(now), "Start") != NULL) ==
		   (strstr(text_string(then), "Start") != NULL) &&
	       (strstr(text_string(now), "A=c") != NULL) ==
		   (strstr(text_string(then), "A=c") != NULL) &&
	       (strstr(text_string(now), "idle_timeout   20s") != NULL) ==
		   (strstr(text_string(then), "idle_timeout   20s") != NULL) &&
	       (strstr(text_string(now), "suspended") != NULL) ==
		   (strstr(text_string(then), "suspended") != NULL) &&
	       (strstr(text_string(now), "arguments      2") != NULL) ==
		   (strstr(text_string(then), "arguments      2") != NULL);
}

/* To the letter: generations, words, endpoints, attributes. */
static void
expect_same(long n, const struct text *now, const struct text *was)
{
	const char *a = text_string(now), *b = text_string(was);
	size_t line = 0;

	for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++)
		if (a[i] == '\n')
			line = i + 1;
	if (strcmp(a, b) != 0)
		print_message("failure %ld: %.*s, before: %.*s\n", n,
		    (int)strcspn(a + line, "\n"), a + line,
		    (int)strcspn(b + line, "\n"), b + line);
	assert_true(strcmp(a, b) == 0);
}

/* One reload with the n-th call failing; false when none failed. */
static bool
one_step(struct walk *walk, long n)
{
	struct fixture *f = &walk->f;
	enum command_status status;
	struct text was, now;
	bool hit;

	take_state(f, &was);
	write_conf(f, after_conf);
	failed = false;
	countdown = n;
	status = reload(f);
	hit = failed;
	take_state(f, &now);
	if (status == COMMAND_OK) {
		if (!same_services(&now, &walk->after))
			print_message(
			    "failure %ld:\n%s", n, text_string(&f->reply));
		assert_true(same_services(&now, &walk->after));
		walk->done++;
	} else {
		expect_same(n, &now, &was);
		walk->refused++;
	}
	text_fini(&was);
	text_fini(&now);
	return hit;
}

static void
every_failure_leaves_one_state_or_the_other(void **state)
{
	struct walk walk;
	long n = 1;

	(void)state;
	begin(&walk);
	go_back(&walk);
	for (;; n++) {
		bool hit = one_step(&walk, n);

		go_back(&walk);
		if (n == 40) {
			walk.memory = mallinfo2().uordblks;
			walk.descriptors = count_entries("/proc/self/fd");
		}
		if (!hit)
			break;
	}
	print_message("%ld failures: %u refused, %u carried out\n", n - 1,
	    walk.refused, walk.done);
	assert_true(n > 150);
	assert_true(walk.refused > 100);
	assert_int_equal(count_entries("/proc/self/fd"), walk.descriptors);
	print_message(
	    "%zu bytes, then %zu\n", walk.memory, mallinfo2().uordblks);
	assert_true(mallinfo2().uordblks <= walk.memory + 4096);
	text_fini(&walk.before);
	text_fini(&walk.after);
	fixture_fini(&walk.f);
}

/* What glibc keeps for the next allocation counts as in use, and would hide a
 * leak or look like one. */
static void
without_thread_cache(char **argv)
{
	static const char tunable[] = "glibc.malloc.tcache_count=0";

	if (getenv("GLIBC_TUNABLES") != NULL)
		return;
	assert_int_equal(setenv("GLIBC_TUNABLES", tunable, 1), 0);
	execv("/proc/self/exe", argv);
	fail_msg("execv: %s", strerror(errno));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_failure_leaves_one_state_or_the_other),
	};

	(void)argc;
	without_thread_cache(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
