/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unix sockets: names in the file system and beside it.
 */
#include "unit/net_bed.h"

#include <sys/stat.h>

static bool
exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static int
bind_path(const char *path, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	void *any = &address;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, any, sizeof(address)), 0);
	if (type != SOCK_DGRAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* The path in an endpoint of the bed's, without its prefix. */
static const char *
path_of(const char *word)
{
	return strchr(word, ':') + 1;
}

static void
test_path_lives_with_the_listener(void **state)
{
	static const char *const prefixes[] = {
	    "unix:", "unix-dgram:", "unix-seqpacket:"};
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	struct bed *bed = *state;
	struct listener *listener;
	const char *word;
	unsigned i;

	for (i = 0; i < BASE_COUNT(prefixes); i++) {
		word = bed_path(bed, prefixes[i], "socket");
		listener = bed_listen(bed, word);
		assert_true(exists(path_of(word)));
		assert_int_equal(listener_socket_type(listener), types[i]);
		assert_string_equal(listener_text(listener), word);
		listener_ref(listener);
		listener_unref(listener);
		assert_true(exists(path_of(word)));
		listener_unref(listener);
		assert_false(exists(path_of(word)));
	}
}

static unsigned
mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(lstat(path, &status), 0);
	return status.st_mode & 07777;
}

static void
test_mode_of_the_path(void **state)
{
	struct bed *bed = *state;
	const char *word = bed_path(bed, "unix:", "mode");
	struct listener *listener;
	mode_t mask = umask(077);

	bed->settings.socket_mode = 0660;
	listener = bed_listen(bed, word);
	assert_int_equal(mode_of(path_of(word)), 0660);
	bed->settings.socket_mode = 0602;
	listener_tune(listener, &bed->settings);
	assert_int_equal(mode_of(path_of(word)), 0602);
	listener_unref(listener);
	umask(mask);
}

static void
test_abstract_name_leaves_nothing(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "unix:@berth-test");
	struct listener *other;
	int client = bed_connect(listener);

	assert_string_equal(
	    listener_text(listener), bed_word("unix:@berth-test"));
	assert_false(exists(bed_word(":@berth-test") + 1));
	close(client);
	/* The name space is one for each type. */
	other = bed_listen(bed, "unix-seqpacket:@berth-test");
	assert_ptr_not_equal(listener, other);
	listener_unref(other);
	listener_unref(listener);
}

static void
test_abstract_name_of_another(void **state)
{
	struct bed *bed = *state;
	const char *word = bed_word("unix:@berth-test");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	void *any = &address;
	struct listener *listener;
	char text[256];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path + 1, path_of(word) + 1);
	assert_int_equal(
	    bind(fd, any,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			    strlen(path_of(word)))),
	    0);
	assert_int_equal(
	    bed_try_listen(bed, "unix:@berth-test", &listener), -EADDRINUSE);
	snprintf(text, sizeof(text),
	    "cannot listen on %s: Address already in use", word);
	assert_string_equal(bed_error(bed), text);
	close(fd);
}

static void
test_one_path_two_types(void **state)
{
	struct bed *bed = *state;
	const char *word = bed_path(bed, "unix:", "both");
	struct listener *listener = bed_listen(bed, word), *other;
	char path[128], text[512];

	snprintf(path, sizeof(path), "unix-dgram:%s", path_of(word));
	snprintf(text, sizeof(text),
	    "cannot listen on %s: Address already in use; service 'test' holds "
	    "%s",
	    path, listener_text(listener));
	assert_int_equal(bed_try_listen(bed, path, &other), -EADDRINUSE);
	assert_string_equal(bed_error(bed), text);
	listener_unref(listener);
}

static void
test_stale_path_is_replaced(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	static const char *const prefixes[] = {
	    "unix:", "unix-dgram:", "unix-seqpacket:"};
	struct bed *bed = *state;
	const char *word;
	unsigned i;

	for (i = 0; i < BASE_COUNT(types); i++) {
		word = bed_path(bed, prefixes[i], "stale");
		close(bind_path(path_of(word), types[i]));
		assert_true(exists(path_of(word)));
		listener_unref(bed_listen(bed, word));
		assert_false(exists(path_of(word)));
	}
}

static void
test_live_path_is_left_alone(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	struct bed *bed = *state;
	const char *word = bed_path(bed, "unix:", "live");
	struct listener *listener;
	char text[256];
	unsigned i;
	int fd;

	snprintf(text, sizeof(text),
	    "cannot listen on %s: Address already in use", word);
	for (i = 0; i < BASE_COUNT(types); i++) {
		fd = bind_path(path_of(word), types[i]);
		assert_int_equal(
		    bed_try_listen(bed, word, &listener), -EADDRINUSE);
		assert_string_equal(bed_error(bed), text);
		assert_true(exists(path_of(word)));
		close(fd);
		unlink(path_of(word));
	}
}

static void
test_other_files_are_left_alone(void **state)
{
	struct bed *bed = *state;
	const char *word = bed_path(bed, "unix:", "file");
	struct listener *listener;
	char text[256];

	close(open(path_of(word), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(bed_try_listen(bed, word, &listener), -EEXIST);
	snprintf(text, sizeof(text),
	    "cannot listen on %s: the file exists and is not a socket", word);
	assert_string_equal(bed_error(bed), text);
	assert_int_equal(errors_count(bed->errors), 1);
	assert_true(exists(path_of(word)));
	unlink(path_of(word));
	assert_int_equal(symlink("nowhere", path_of(word)), 0);
	assert_int_equal(bed_try_listen(bed, word, &listener), -EEXIST);
	assert_true(exists(path_of(word)));
	unlink(path_of(word));
}

static void
test_a_path_that_became_anothers_is_kept(void **state)
{
	struct bed *bed = *state;
	const char *word = bed_path(bed, "unix:", "mine");
	struct listener *listener = bed_listen(bed, word);
	int fd;

	unlink(path_of(word));
	fd = bind_path(path_of(word), SOCK_STREAM);
	listener_unref(listener);
	assert_true(exists(path_of(word)));
	close(fd);
	unlink(path_of(word));
}

static void
test_no_folder(void **state)
{
	struct bed *bed = *state;
	const char *word = bed_path(bed, "unix:", "none/socket");
	struct listener *listener;
	char text[256];

	assert_int_equal(bed_try_listen(bed, word, &listener), -ENOENT);
	snprintf(text, sizeof(text),
	    "cannot listen on %s: No such file or directory", word);
	assert_string_equal(bed_error(bed), text);
}

static void
test_relative_path_survives_chdir(void **state)
{
	struct bed *bed = *state;
	char before[256];
	struct listener *listener;

	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(bed->folder), 0);
	listener = bed_listen(bed, "unix:relative");
	assert_true(exists("relative"));
	assert_int_equal(chdir(before), 0);
	listener_unref(listener);
	assert_false(exists(path_of(bed_path(bed, "unix:", "relative"))));
}

static void
test_adopted_path_is_not_removed(void **state)
{
	struct bed *bed = *state;
	const char *word = bed_path(bed, "unix:", "handed-in");
	int fd = bind_path(path_of(word), SOCK_STREAM);
	struct listener *listener;

	assert_int_equal(listeners_adopt(bed->listeners, fd), 0);
	listener = bed_listen(bed, word);
	assert_int_equal(listener_fd(listener), fd);
	listener_unref(listener);
	assert_true(exists(path_of(word)));
	unlink(path_of(word));
}

static void
test_own_unix_datagram(void **state)
{
	struct bed *bed = *state;
	const char *word = bed_path(bed, "unix-dgram:", "own");
	struct listener *listener = bed_listen(bed, word);
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	void *any = &address;
	struct sockaddr_un *name = any;

	assert_int_equal(getsockname(listener_fd(listener), any, &size), 0);
	assert_true(listeners_own_datagram(bed->listeners, any, size));
	strcpy(name->sun_path, "/elsewhere");
	assert_false(listeners_own_datagram(
	    bed->listeners, any, sizeof(struct sockaddr_un)));
	listener_unref(listener);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_path_lives_with_the_listener),
	    TEST(test_mode_of_the_path),
	    TEST(test_abstract_name_leaves_nothing),
	    TEST(test_abstract_name_of_another),
	    TEST(test_one_path_two_types),
	    TEST(test_stale_path_is_replaced),
	    TEST(test_live_path_is_left_alone),
	    TEST(test_other_files_are_left_alone),
	    TEST(test_a_path_that_became_anothers_is_kept),
	    TEST(test_no_folder),
	    TEST(test_relative_path_survives_chdir),
	    TEST(test_adopted_path_is_not_removed),
	    TEST(test_own_unix_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
