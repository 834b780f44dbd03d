/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images: sharing, generations side by side, and unloading that is verified.
 */
#include "plugin_kit.h"

#include <dirent.h>

static unsigned
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void
count_image(void *context, struct image *image)
{
	(void)image;
	++*(unsigned *)context;
}

static unsigned
count_images(struct kit *kit)
{
	unsigned count = 0;

	plugins_each(kit->plugins, count_image, &count);
	return count;
}

/* Row D04: two services of one file are one image, gone with the second. */
static void
shared(void **state)
{
	struct kit *kit = *state;
	struct image *first, *second;
	unsigned fds = count_fds();

	kit_copy(kit, "two", "x.so");
	assert_int_equal(kit_open(kit, "x:make_first()"), 0);
	first = kit->image;
	assert_string_equal(kit_info(kit->type), "the first");
	assert_int_equal(kit_open(kit, "x:make_second()"), 0);
	second = kit->image;
	assert_string_equal(kit_info(kit->type), "the second");
	assert_ptr_equal(first, second);
	assert_int_equal(image_references(first), 2);
	assert_int_equal(count_images(kit), 1);
	assert_int_equal(image_unref(first), 0);
	assert_true(kit_mapped("x.so"));
	assert_int_equal(image_unref(second), 0);
	assert_false(kit_mapped("x.so"));
	assert_int_equal(count_images(kit), 0);
	assert_int_equal(count_fds(), fds);
}

static void
object_form(void **state)
{
	struct kit *kit = *state;

	kit_copy(kit, "object", "x.so");
	assert_int_equal(kit_open(kit, "x:object_type"), 0);
	assert_string_equal(kit_info(kit->type), "an object");
	assert_int_equal(image_unref(kit->image), 0);
}

/* dlopen(3) of a name that it knows gives the old object: we do not. */
static void
generations(void **state)
{
	struct kit *kit = *state;
	const struct berth_service_type *old_type;
	struct plugin_identity old;
	struct image *old_image;

	kit_copy(kit, "banner1", "x.so");
	assert_int_equal(kit_open(kit, "x:make_banner()"), 0);
	old_image = kit->image;
	old_type = kit->type;
	old = kit->identity;

	/* Overwritten in place: running code neither changes nor dies. */
	kit_copy(kit, "banner2", "x.so");
	assert_string_equal(kit_info(old_type), "first banner 1");
	assert_int_equal(kit_check(kit, "x:make_banner()"), 0);
	assert_false(plugin_identity_equal(&old, &kit->identity));
	assert_int_equal(kit_open(kit, "x:make_banner()"), 0);
	assert_ptr_not_equal(kit->image, old_image);
	assert_int_equal(count_images(kit), 2);
	assert_string_equal(kit_info(kit->type), "second banner 1");
	assert_string_equal(kit_info(old_type), "first banner 2");
	assert_string_equal(kit_info(kit->type), "second banner 2");

	/* Truncated: no SIGBUS in what runs. */
	kit_write(kit, "x.so", "", 0);
	assert_string_equal(kit_info(old_type), "first banner 3");
	assert_string_equal(kit_info(kit->type), "second banner 3");
	assert_int_equal(image_unref(kit->image), 0);
	assert_int_equal(image_unref(old_image), 0);
	assert_false(kit_mapped("x.so"));
}

/* Row D03: remove, replace on disk, load: the new code, every time; also when
 * size and times of the file stay as they were. */
static void
replaced(void **state)
{
	struct kit *kit = *state;
	unsigned i, fds = count_fds();

	for (i = 0; i < 50; i++) {
		kit_copy(kit, i % 2 ? "banner2" : "banner1", "x.so");
		assert_int_equal(kit_open(kit, "x:make_banner()"), 0);
		assert_string_equal(kit_info(kit->type),
		    i % 2 ? "second banner 1" : "first banner 1");
		assert_int_equal(image_unref(kit->image), 0);
	}
	assert_int_equal(count_images(kit), 0);
	assert_int_equal(count_fds(), fds);
}

/* Five bytes changed within one tick of the file system's clock. */
static void
same_size(void **state)
{
	struct kit *kit = *state;
	struct text bytes;
	FILE *file;
	char *banner;
	struct image *images[20];
	unsigned i;

	text_init(&bytes);
	kit_copy(kit, "banner1", "x.so");
	file = fopen(kit_path(kit, "x.so"), "re");
	assert_non_null(file);
	assert_int_equal(fd_read_all(fileno(file), 1 << 24, &bytes), 0);
	fclose(file);
	for (i = 0; i < BASE_COUNT(images); i++) {
		char want[32];

		snprintf(want, sizeof(want), "%05u banner 1", i);
		banner = bytes.data;
		while ((banner = memmem(banner,
			    bytes.size - (size_t)(banner - bytes.data),
			    " banner", 7))) {
			memcpy(banner - 5, want, 5);
			banner++;
		}
		kit_write(kit, "x.so", bytes.data, bytes.size);
		assert_int_equal(kit_open(kit, "x:make_banner()"), 0);
		assert_string_equal(kit_info(kit->type), want);
		images[i] = kit->image;
	}
	while (i > 0)
		assert_int_equal(image_unref(images[--i]), 0);
	text_fini(&bytes);
}

/* Touched, or installed again: the same code, no reason to replace. */
static void
same_content(void **state)
{
	struct kit *kit = *state;
	struct plugin_identity old;

	kit_copy(kit, "good", "x.so");
	assert_int_equal(kit_check(kit, "x:make_good()"), 0);
	old = kit->identity;
	assert_int_equal(unlink(kit_path(kit, "x.so")), 0);
	kit_copy(kit, "good", "x.so");
	assert_int_equal(kit_check(kit, "x:make_good()"), 0);
	assert_true(plugin_identity_equal(&old, &kit->identity));
	assert_int_equal(strlen(old.build_id), 40);
	kit_copy(kit, "two", "x.so");
	assert_int_equal(kit_check(kit, "x:make_first()"), 0);
	assert_false(plugin_identity_equal(&old, &kit->identity));
}

/* --- what can't be unloaded --------------------------------------------------
 */

static void
sticky(void **state)
{
	static const struct {
		const char *plugin;
		const char *why;
	} cases[] = {
	    {"unique", "it has symbols of binding STB_GNU_UNIQUE: build it "
		       "with -fno-gnu-unique"},
	    {"nodelete", "it is linked with -z nodelete"},
	};
	struct kit *kit = *state;
	size_t i;

	for (i = 0; i < BASE_COUNT(cases); i++) {
		kit_copy(kit, cases[i].plugin, "x.so");
		assert_int_equal(kit_open(kit, "x:make_sin()"), 0);
		assert_string_equal(image_sticky(kit->image), cases[i].why);
		assert_string_equal(kit_info(kit->type), "call 1");
		assert_string_equal(kit_info(kit->type), "call 2");
		assert_int_equal(image_unref(kit->image), IMAGE_E_STILL_MAPPED);
		assert_true(kit_mapped("x.so"));
	}
	assert_int_equal(count_images(kit), 2);
	kit_copy(kit, "good", "x.so");
	assert_int_equal(kit_open(kit, "x:make_good()"), 0);
	assert_null(image_sticky(kit->image));
	assert_string_equal(kit_info(kit->type), "good, 0 sessions");
	assert_int_equal(image_unref(kit->image), 0);
}

/* An image that stays does not come back: code and data are fresh. */
static void
fresh(void **state)
{
	struct kit *kit = *state;

	kit_copy(kit, "nodelete", "x.so");
	assert_int_equal(kit_open(kit, "x:make_sin()"), 0);
	assert_string_equal(kit_info(kit->type), "call 1");
	assert_int_equal(image_unref(kit->image), IMAGE_E_STILL_MAPPED);
	assert_int_equal(kit_open(kit, "x:make_sin()"), 0);
	assert_string_equal(kit_info(kit->type), "call 1");
	assert_int_equal(image_unref(kit->image), IMAGE_E_STILL_MAPPED);

	/* Nor after its host is gone and another has its descriptors. */
	kit->plugins = plugins_free(kit->plugins);
	assert_int_equal(
	    plugins_new(
		&(struct plugin_options){.path = kit->folder}, &kit->plugins),
	    0);
	assert_int_equal(kit_open(kit, "x:make_sin()"), 0);
	assert_string_equal(kit_info(kit->type), "call 1");
	assert_int_equal(image_unref(kit->image), IMAGE_E_STILL_MAPPED);
}

static void
pinned(void **state)
{
	struct kit *kit = *state;
	const struct berth_service_type *type;

	kit_copy(kit, "banner1", "x.so");
	assert_int_equal(kit_open(kit, "x:make_banner()"), 0);
	image_pin(kit->image);
	type = kit->type;
	assert_string_equal(
	    image_sticky(kit->image), "a thread of it did not end");
	assert_int_equal(image_unref(kit->image), IMAGE_E_STILL_MAPPED);
	assert_string_equal(kit_info(type), "first banner 1");
	assert_int_equal(kit_open(kit, "x:make_banner()"), 0);
	assert_string_equal(kit_info(kit->type), "first banner 1");
	assert_string_equal(kit_info(type), "first banner 2");
	assert_int_equal(image_unref(kit->image), 0);
	assert_string_equal(kit_info(type), "first banner 3");
}

/* Within a snapshot a file is seen once. */
static void
snapshot(void **state)
{
	struct kit *kit = *state;
	struct plugin_identity old;

	kit_copy(kit, "banner1", "x.so");
	plugins_snapshot(kit->plugins, true);
	assert_int_equal(kit_check(kit, "x:make_banner()"), 0);
	old = kit->identity;
	assert_int_equal(unlink(kit_path(kit, "x.so")), 0);
	assert_int_equal(kit_check(kit, "x:make_banner()"), 0);
	assert_true(plugin_identity_equal(&old, &kit->identity));
	assert_int_equal(kit_open(kit, "x:make_banner()"), -ENOENT);
	kit_copy(kit, "banner1", "x.so");
	assert_int_equal(kit_open(kit, "x:make_banner()"), 0);
	assert_int_equal(unlink(kit_path(kit, "x.so")), 0);
	assert_int_equal(kit_open(kit, "x:make_banner()"), 0);
	assert_int_equal(image_references(kit->image), 2);
	plugins_snapshot(kit->plugins, false);
	assert_int_equal(kit_check(kit, "x:make_banner()"), -ENOENT);
	assert_int_equal(image_unref(kit->image), 0);
	assert_int_equal(image_unref(kit->image), 0);
}

/* More files than are remembered. */
static void
many(void **state)
{
	struct kit *kit = *state;
	char name[32];
	unsigned i;

	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "x%u.so", i);
		kit_copy(kit, "two", name);
		snprintf(name, sizeof(name), "x%u:make_first()", i);
		assert_int_equal(kit_check(kit, name), 0);
	}
	assert_int_equal(kit_check(kit, "x0:make_second()"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(shared, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		object_form, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		generations, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(replaced, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(same_size, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		same_content, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(sticky, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(fresh, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(pinned, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(snapshot, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(many, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
