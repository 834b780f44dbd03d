/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where plugins are looked for, and whom the host trusts with them.
 */
#include "plugin_kit.h"

#include <fcntl.h>

/* Row D01: every way to write the one file. */
static void
names(void **state)
{
	static const char *const locations[] = {"plug:_make_Svc()",
	    "libplug:_make_Svc()", "libplug.so:_make_Svc()",
	    "./plug:_make_Svc()", "./libplug.so:_make_Svc()",
	    ".//plug:_make_Svc()", "././libplug:_make_Svc()"};
	struct kit *kit = *state;
	char absolute[256];
	size_t i;

	kit_copy(kit, "good", "libplug.so");
	for (i = 0; i < BASE_COUNT(locations); i++) {
		assert_int_equal(kit_check(kit, locations[i]), 0);
		assert_int_equal(kit_open(kit, locations[i]), 0);
		assert_string_equal(
		    image_file(kit->image), kit_path(kit, "libplug.so"));
		assert_int_equal(image_unref(kit->image), 0);
	}
	snprintf(absolute, sizeof(absolute), "%s:make_good()",
	    kit_path(kit, "libplug.so"));
	assert_int_equal(kit_check(kit, absolute), 0);
	snprintf(absolute, sizeof(absolute), "/%s:make_good()",
	    kit_path(kit, "plug"));
	assert_int_equal(kit_check(kit, absolute), 0);
}

/* libNAME.so before NAME.so before NAME; with dots, row D02. */
static void
order(void **state)
{
	static const char *const files[] = {"p.v1", "p.v1.so", "libp.v1.so"};
	struct kit *kit = *state;
	size_t i;

	for (i = 0; i < BASE_COUNT(files); i++) {
		kit_copy(kit, "good", files[i]);
		assert_int_equal(kit_open(kit, "p.v1:make_good()"), 0);
		assert_string_equal(
		    image_file(kit->image), kit_path(kit, files[i]));
		assert_int_equal(image_unref(kit->image), 0);
	}
}

/* Folders in order; folders below a folder; a folder of the plugin's name. */
static void
folders(void **state)
{
	struct kit *kit = *state;
	char path[256];

	assert_int_equal(mkdir(kit_path(kit, "sub"), 0755), 0);
	kit_copy(kit, "good", "sub/libplug.so");
	assert_int_equal(kit_check(kit, "sub/plug:make_good()"), 0);
	assert_int_equal(kit_check(kit, "./sub/plug:make_good()"), 0);

	snprintf(path, sizeof(path), ":%s:%s/sub:", kit->folder, kit->folder);
	assert_int_equal(plugins_set_path(kit->plugins, path), 0);
	assert_int_equal(mkdir(kit_path(kit, "libplug.so"), 0755), 0);
	assert_int_equal(kit_open(kit, "plug:make_good()"), 0);
	assert_string_equal(
	    image_file(kit->image), kit_path(kit, "sub/libplug.so"));
	assert_int_equal(image_unref(kit->image), 0);
}

static void
not_found(void **state)
{
	struct kit *kit = *state;
	char path[256];

	kit_refused(kit, "nope:make_it()", -ENOENT,
	    "cannot find plugin 'nope': tried @/libnope.so, @/nope.so, @/nope: "
	    "No such file or directory");
	assert_int_equal(mkdir(kit_path(kit, "nope"), 0755), 0);
	kit_write(kit, "file", "", 0);
	snprintf(path, sizeof(path), "%s:%s/file", kit->folder, kit->folder);
	assert_int_equal(plugins_set_path(kit->plugins, path), 0);
	kit_refused(kit, "nope:make_it()", -ENOENT,
	    "cannot find plugin 'nope': tried @/libnope.so, @/nope.so: No such "
	    "file or directory; @/nope: Is a directory; @/file/libnope.so, "
	    "@/file/nope.so, @/file/nope: Not a directory");
	kit_refused(kit, "sub/:make_it()", -EINVAL,
	    "'sub/' is not the name of a plugin file");
	kit_refused(kit, "sub/../plug:make_it()", -EINVAL,
	    "'sub/../plug': a path with '..' must be absolute");
	assert_int_equal(plugins_set_path(kit->plugins, ""), 0);
	kit_refused(kit, "nope:make_it()", -ENOENT,
	    "cannot find plugin 'nope': plugin_path is empty");
	assert_int_equal(plugins_set_path(kit->plugins, "rel"), -EINVAL);
}

static void
did_you_mean(void **state)
{
	struct kit *kit = *state;

	kit_copy(kit, "good", "libplug.so");
	kit_copy(kit, "good", "plum.so");
	kit_copy(kit, "good", "plugs");
	kit_refused(kit, "plugg:make_good()", -ENOENT,
	    "cannot find plugin 'plugg': tried @/libplugg.so, @/plugg.so, "
	    "@/plugg: No such file or directory; did you mean 'plug'?");
	kit_refused(kit, "plm:make_good()", -ENOENT,
	    "cannot find plugin 'plm': tried @/libplm.so, @/plm.so, @/plm: No "
	    "such file or directory; did you mean 'plum'?");
	kit_refused(kit, "other:make_good()", -ENOENT,
	    "cannot find plugin 'other': tried @/libother.so, @/other.so, "
	    "@/other: No such file or directory");
}

/* Neither the working directory nor LD_LIBRARY_PATH is searched. */
static void
nowhere_else(void **state)
{
	struct kit *kit = *state;
	char cwd[4096];

	kit_copy(kit, "good", "libplug.so");
	assert_int_equal(mkdir(kit_path(kit, "empty"), 0755), 0);
	assert_int_equal(
	    plugins_set_path(kit->plugins, kit_path(kit, "empty")), 0);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(kit->folder), 0);
	setenv("LD_LIBRARY_PATH", kit->folder, 1);
	kit_refused(kit, "./plug:make_good()", -ENOENT,
	    "cannot find plugin './plug': tried @/empty/libplug.so, "
	    "@/empty/plug.so, @/empty/plug: No such file or directory");
	kit_refused(kit, "libplug.so:make_good()", -ENOENT,
	    "cannot find plugin 'libplug.so': tried @/empty/liblibplug.so.so, "
	    "@/empty/libplug.so.so, @/empty/libplug.so: No such file or "
	    "directory");
	unsetenv("LD_LIBRARY_PATH");
	assert_int_equal(chdir(cwd), 0);
}

/* --- trust ------------------------------------------------------------------
 */

static void
modes(void **state)
{
	struct kit *kit = *state;

	kit_copy(kit, "good", "libplug.so");
	assert_int_equal(chmod(kit_path(kit, "libplug.so"), 0664), 0);
	kit_refused(kit, "plug:make_good()", -EACCES,
	    "@/libplug.so: not trusted: @/libplug.so is writable by its group "
	    "(mode 0664)");
	assert_int_equal(chmod(kit_path(kit, "libplug.so"), 0646), 0);
	kit_refused(kit, "plug:make_good()", -EACCES,
	    "@/libplug.so: not trusted: @/libplug.so is writable by everybody "
	    "(mode 0646)");
	assert_int_equal(chmod(kit_path(kit, "libplug.so"), 0400), 0);
	assert_int_equal(kit_check(kit, "plug:make_good()"), 0);

	assert_int_equal(chmod(kit->folder, 0770), 0);
	kit_refused(kit, "plug:make_good()", -EACCES,
	    "@/libplug.so: not trusted: @ is writable by its group (mode "
	    "0770)");
	/* As /tmp: what is ours there can't be replaced by others. */
	assert_int_equal(chmod(kit->folder, 01777), 0);
	assert_int_equal(kit_check(kit, "plug:make_good()"), 0);
	assert_int_equal(chmod(kit->folder, 0700), 0);
}

/* An untrusted file ends the search: what comes later was not meant. */
static void
no_way_round(void **state)
{
	struct kit *kit = *state;

	kit_copy(kit, "good", "libplug.so");
	kit_copy(kit, "good", "plug.so");
	assert_int_equal(chmod(kit_path(kit, "libplug.so"), 0666), 0);
	kit_refused(kit, "plug:make_good()", -EACCES,
	    "@/libplug.so: not trusted: @/libplug.so is writable by everybody "
	    "(mode 0666)");
}

/* Links are followed; the folders that they lead through are judged. */
static void
links(void **state)
{
	struct kit *kit = *state;
	char target[256];

	assert_int_equal(mkdir(kit_path(kit, "real"), 0755), 0);
	assert_int_equal(mkdir(kit_path(kit, "hop"), 0755), 0);
	kit_copy(kit, "good", "real/plug.so.1");
	assert_int_equal(
	    symlink("../real/plug.so.1", kit_path(kit, "hop/plug.so")), 0);
	snprintf(target, sizeof(target), "%s", kit_path(kit, "hop/plug.so"));
	assert_int_equal(symlink(target, kit_path(kit, "plug.so")), 0);
	assert_int_equal(kit_check(kit, "plug:make_good()"), 0);

	assert_int_equal(chmod(kit_path(kit, "hop"), 0777), 0);
	kit_refused(kit, "plug:make_good()", -EACCES,
	    "@/plug.so: not trusted: @/hop is writable by everybody (mode "
	    "0777)");
	assert_int_equal(chmod(kit_path(kit, "hop"), 0755), 0);
	assert_int_equal(chmod(kit_path(kit, "real"), 0775), 0);
	kit_refused(kit, "plug:make_good()", -EACCES,
	    "@/plug.so: not trusted: @/real is writable by its group (mode "
	    "0775)");

	assert_int_equal(symlink("loop.so", kit_path(kit, "loop.so")), 0);
	kit_refused(kit, "loop:make_good()", -ELOOP,
	    "@/loop.so: Too many levels of symbolic links");
	assert_int_equal(symlink("nowhere", kit_path(kit, "dangling")), 0);
	kit_refused(kit, "dangling:make_good()", -ENOENT,
	    "cannot find plugin 'dangling': tried @/libdangling.so, "
	    "@/dangling.so, @/dangling: No such file or directory");
}

/* A FIFO doesn't hold the host up. */
static void
fifo(void **state)
{
	struct kit *kit = *state;

	assert_int_equal(mkfifo(kit_path(kit, "plug.so"), 0600), 0);
	kit_refused(kit, "plug:make_good()", -EACCES,
	    "@/plug.so: not trusted: @/plug.so is not a regular file");
}

/* Files of other users; only root can make one. */
static void
owners(void **state)
{
	struct kit *kit = *state;

	kit_copy(kit, "good", "libplug.so");
	if (geteuid() == 0) {
		assert_int_equal(
		    chown(kit_path(kit, "libplug.so"), 12345, 0), 0);
		kit_refused(kit, "plug:make_good()", -EACCES,
		    "@/libplug.so: not trusted: @/libplug.so belongs to user "
		    "12345, neither to root nor to user 0");
		assert_int_equal(chown(kit_path(kit, "libplug.so"), 0, 0), 0);
		assert_int_equal(chown(kit->folder, 12345, 0), 0);
		kit_refused(kit, "plug:make_good()", -EACCES,
		    "@/libplug.so: not trusted: @ belongs to user 12345, "
		    "neither to root nor to user 0");
		assert_int_equal(chown(kit->folder, 0, 0), 0);
	} else {
		assert_int_equal(chmod(kit_path(kit, "libplug.so"), 0), 0);
		kit_refused(kit, "plug:make_good()", -EACCES,
		    "@/libplug.so: Permission denied");
	}
}

static void
trusting(void **state)
{
	struct kit *kit = *state;
	struct plugin_options options = {
	    .path = kit->folder, .trust_owner = true};

	plugins_free(kit->plugins);
	assert_int_equal(plugins_new(&options, &kit->plugins), 0);
	kit_copy(kit, "good", "libplug.so");
	assert_int_equal(chmod(kit_path(kit, "libplug.so"), 0666), 0);
	assert_int_equal(kit_check(kit, "plug:make_good()"), 0);
}

static void
no_dynamic(void **state)
{
	struct kit *kit = *state;
	struct plugin_options options = {
	    .path = kit->folder, .no_dynamic = true};

	plugins_free(kit->plugins);
	assert_int_equal(plugins_new(&options, &kit->plugins), 0);
	kit_copy(kit, "good", "libplug.so");
	kit_refused(kit, "plug:make_good()", -EPERM,
	    "plugin 'plug' is refused: this host loads no plugins "
	    "(--no-dynamic)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(names, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(order, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(folders, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(not_found, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		did_you_mean, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		nowhere_else, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(modes, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		no_way_round, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(links, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(fifo, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(owners, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(trusting, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		no_dynamic, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
