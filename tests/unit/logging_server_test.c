/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logging_server on the fake host: how records are put together again, what is
 * refused, what the files hold.
 */
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_host.h"
#include "logging/entry.h"

const struct berth_service_type *make_logging_server(void);

static char folder[] = "/tmp/berth-logs-XXXXXX";

struct bed {
	struct fake_host host;
	struct fake_service service;
	struct fake_session session;
};

static void
start(struct bed *bed, const char *words)
{
	char arguments[256];

	memset(bed, 0, sizeof(*bed));
	fake_host_init(&bed->host);
	bed->host.listen_count = 1;
	snprintf(arguments, sizeof(arguments), "-d %s %s", folder, words);
	assert_int_equal(fake_service_start(&bed->service, &bed->host,
			     make_logging_server(), "Logs", arguments),
	    0);
	assert_int_equal(fake_session_open(&bed->session, &bed->service), 0);
}

static void
stop(struct bed *bed)
{
	fake_session_fini(&bed->session);
	fake_service_stop(&bed->service);
	assert_int_equal(bed->service.left_descriptors, 0);
	fake_host_fini(&bed->host);
}

static char *
path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* How many entries a file has with that text; it has no others. */
static unsigned
count(const char *name, const char *text)
{
	char buffer[65536];
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, buffer, sizeof(buffer));
	struct entry entry = {.size = 0};
	unsigned number = 0;

	if (fd >= 0)
		close(fd);
	for (ssize_t at = 0; at < size; at += (ssize_t)entry.size) {
		assert_int_equal(entry_decode(buffer + at, (size_t)(size - at),
				     RECORD_MOST, &entry),
		    0);
		assert_string_equal(entry.host, "127.0.0.1");
		assert_int_equal(entry.record.text_size, strlen(text));
		assert_memory_equal(entry.record.text, text, strlen(text));
		number++;
	}
	return number;
}

static size_t
make(unsigned form, const char *text, char *buffer, size_t room)
{
	struct record record = {.type = 8, .pid = 1, .secs = 2};
	size_t size = 0;

	record.form = form;
	record.text = text;
	record.text_size = (uint32_t)strlen(text);
	assert_int_equal(record_encode(&record, buffer, room, &size), 0);
	return size;
}

static void
test_byte_by_byte(void **state)
{
	char buffer[256];
	struct bed bed;

	(void)state;
	start(&bed, "");
	for (unsigned form = 0; form < 4; form++) {
		size_t size = make(form, "hello", buffer, sizeof(buffer));

		for (size_t i = 0; i < size; i++)
			assert_true(fake_session_input(
					&bed.session, buffer + i, 1) >= 0);
		assert_int_equal(bed.session.input.size, 0);
	}
	assert_int_equal(count("127.0.0.1.log", "hello"), 4);
	stop(&bed);
	unlink(path_of("127.0.0.1.log"));
}

/* Two records, cut at every place. */
static void
test_every_split(void **state)
{
	char buffer[256];
	size_t one = make(RECORD_LITTLE, "abc", buffer, sizeof(buffer));
	size_t size = one + make(RECORD_WIDE, "abc", buffer + one,
				sizeof(buffer) - one);
	struct bed bed;

	(void)state;
	start(&bed, "");
	for (size_t at = 0; at <= size; at++) {
		assert_true(fake_session_input(&bed.session, buffer, at) >= 0);
		assert_true(fake_session_input(
				&bed.session, buffer + at, size - at) >= 0);
		assert_int_equal(bed.session.input.size, 0);
	}
	assert_int_equal(count("127.0.0.1.log", "abc"), 2 * (size + 1));
	stop(&bed);
	unlink(path_of("127.0.0.1.log"));
}

static void
test_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *said;
	} cases[] = {
	    {"\2", 1, "no log records"},
	    {"\1\0\0\0\1\0\0\0", 8, "no log records"},
	    {"\1\0\0\0\xff\xff\xff\x7f", 8, "too long"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bed bed;

		start(&bed, "");
		assert_true(fake_session_input(&bed.session, cases[i].bytes,
				cases[i].size) < 0);
		assert_true(bed.session.aborted);
		assert_non_null(strstr(bed.host.log.data, cases[i].said));
		stop(&bed);
	}
	assert_int_equal(count("127.0.0.1.log", ""), 0);
}

/* A client whose record can't be kept still has it. */
static void
test_a_full_disk(void **state)
{
	char buffer[256];
	size_t size = make(RECORD_LITTLE, "x", buffer, sizeof(buffer));
	struct bed bed;

	(void)state;
	start(&bed, "-a -o one /dev/full");
	assert_true(fake_session_input(&bed.session, buffer, size) < 0);
	assert_int_equal(bed.session.output.size, 0);
	assert_non_null(strstr(bed.host.log.data, "No space left"));
	stop(&bed);
}

static void
test_acknowledged_in_pieces(void **state)
{
	char buffer[256];
	size_t size = make(RECORD_LITTLE, "x", buffer, sizeof(buffer));
	struct bed bed;

	(void)state;
	start(&bed, "-a");
	bed.session.output_limit = 3;
	fake_session_input(&bed.session, buffer, size);
	fake_session_input(&bed.session, buffer, size);
	for (int i = 0; i < 20; i++)
		fake_session_drain(&bed.session);
	/* Whole numbers, the last of which is the count. */
	assert_true(bed.session.output.size >= 8);
	assert_int_equal(bed.session.output.size % 8, 0);
	assert_int_equal(
	    bed.session.output.data[bed.session.output.size - 1], 2);
	stop(&bed);
	unlink(path_of("127.0.0.1.log"));
}

/* More hosts than files are kept open. */
static void
test_many_hosts(void **state)
{
	char buffer[256], name[64];
	size_t size = make(RECORD_LITTLE, "x", buffer, sizeof(buffer));
	struct bed bed;

	(void)state;
	start(&bed, "");
	for (int turn = 0; turn < 2; turn++)
		for (int i = 0; i < 100; i++) {
			struct fake_session session;

			memset(&session, 0, sizeof(session));
			assert_int_equal(
			    fake_session_open(&session, &bed.service), 0);
			snprintf(session.peer, sizeof(session.peer),
			    "[2001:db8::%x]:4711", i);
			assert_true(
			    fake_session_input(&session, buffer, size) > 0);
			fake_session_fini(&session);
		}
	stop(&bed);
	for (int i = 0; i < 100; i++) {
		struct stat status;

		snprintf(name, sizeof(name), "2001:db8::%x.log", i);
		assert_int_equal(stat(path_of(name), &status), 0);
		assert_int_equal((size_t)status.st_size,
		    2 * (size + strlen(name) - strlen(".log") + 1));
		unlink(path_of(name));
	}
}

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path_of("127.0.0.1.log"));
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_byte_by_byte),
	    cmocka_unit_test(test_every_split),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_a_full_disk),
	    cmocka_unit_test(test_acknowledged_in_pieces),
	    cmocka_unit_test(test_many_hosts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
