/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A folder of plugins and a room's object.  Everything goes through the room's
 * header; owner and modes are judged as in life.
 */
#include "plugin_kit.h"

#include <fcntl.h>

#include "fake_host.h"

static const struct berth_service_type *
make_tick(void)
{
	static const struct berth_service_type type = {
	    .header = BERTH_TYPE_HEADER(
		BERTH_KIND_SERVICE, struct berth_service_type, make_tick),
	};

	return &type;
}

static const struct berth_service_type *
make_broken(void)
{
	static const struct berth_service_type type = {
	    .header = BERTH_TYPE_HEADER(
		BERTH_KIND_SERVICE, struct berth_service_type, make_broken),
	    .flags = 0x40000000u,
	};

	return &type;
}

static const struct berth_service_type *
make_nothing(void)
{
	return NULL;
}

static const struct berth_static_service statics[] = {
    {"tick", make_tick, "ACE_tick"},
    {"broken", make_broken, NULL},
    {"nothing", make_nothing, NULL},
    {NULL, NULL, NULL},
};

int
kit_setup(void **state)
{
	struct kit *kit = calloc(1, sizeof(*kit));
	struct plugin_options options = {.statics = statics};

	assert_non_null(kit);
	strcpy(kit->folder, "/tmp/berth-plugin-XXXXXX");
	assert_non_null(mkdtemp(kit->folder));
	options.path = kit->folder;
	assert_int_equal(plugins_new(&options, &kit->plugins), 0);
	kit->errors = errors_new(20);
	assert_non_null(kit->errors);
	text_init(&kit->message);
	*state = kit;
	return 0;
}

int
kit_teardown(void **state)
{
	struct kit *kit = *state;
	char command[128];

	kit->plugins = plugins_free(kit->plugins);
	kit->errors = errors_free(kit->errors);
	text_fini(&kit->message);
	snprintf(command, sizeof(command), "rm -rf '%s'", kit->folder);
	assert_int_equal(system(command), 0);
	free(kit);
	return 0;
}

const char *
kit_path(struct kit *kit, const char *name)
{
	snprintf(kit->file, sizeof(kit->file), "%s/%s", kit->folder, name);
	return kit->file;
}

void
kit_write(struct kit *kit, const char *name, const void *bytes, size_t size)
{
	int fd = open(kit_path(kit, name),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

void
kit_copy(struct kit *kit, const char *what, const char *name)
{
	struct text bytes;
	char from[512];
	int fd;

	text_init(&bytes);
	snprintf(from, sizeof(from), "%s/%s.so", TEST_PLUGINS, what);
	fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", from, strerror(errno));
	assert_int_equal(fd_read_all(fd, 64 << 20, &bytes), 0);
	close(fd);
	kit_write(kit, name, bytes.data, bytes.size);
	text_fini(&bytes);
}

struct plugin_location
kit_location(struct kit *kit, const char *location)
{
	struct plugin_location where = {.kind = BERTH_KIND_SERVICE};
	static char path[256], symbol[256];
	const char *colon = strrchr(location, ':');

	(void)kit;
	snprintf(path, sizeof(path), "%.*s", (int)(colon - location), location);
	snprintf(symbol, sizeof(symbol), "%.*s", (int)strcspn(colon + 1, "("),
	    colon + 1);
	where.path = colon == location ? NULL : path;
	where.symbol = symbol;
	where.factory = strchr(colon, '(') != NULL;
	return where;
}

int
kit_check(struct kit *kit, const char *location)
{
	struct plugin_location where = kit_location(kit, location);

	errors_reset(kit->errors);
	return plugin_check(
	    kit->plugins, &where, NULL, kit->errors, &kit->identity);
}

int
kit_open(struct kit *kit, const char *location)
{
	struct plugin_location where = kit_location(kit, location);

	errors_reset(kit->errors);
	return plugin_open(kit->plugins, &where, NULL, kit->errors, &kit->image,
	    &kit->type, &kit->identity);
}

const char *
kit_message(struct kit *kit)
{
	size_t size = strlen(kit->folder);
	const char *from, *hit;
	unsigned i;

	text_reset(&kit->message);
	for (i = 0; i < errors_kept(kit->errors); i++) {
		from = errors_get(kit->errors, i)->text;
		if (i)
			text_add(&kit->message, "\n", 1);
		while ((hit = strstr(from, kit->folder))) {
			text_add(&kit->message, from, (size_t)(hit - from));
			text_add(&kit->message, "@", 1);
			from = hit + size;
		}
		text_add(&kit->message, from, strlen(from));
	}
	return text_string(&kit->message);
}

void
kit_refused(
    struct kit *kit, const char *location, int code, const char *message)
{
	assert_int_equal(kit_check(kit, location), code);
	assert_string_equal(kit_message(kit), message);
	assert_int_equal(kit_open(kit, location), code);
	assert_string_equal(kit_message(kit), message);
	assert_int_equal(errors_count(kit->errors), 1);
	assert_int_equal(errors_get(kit->errors, 0)->code, code);
}

const char *
kit_info(const struct berth_service_type *type)
{
	static char text[256];
	struct fake_host host;
	struct fake_service service;

	fake_host_init(&host);
	assert_int_equal(
	    fake_service_start(&service, &host, type, "Test", ""), 0);
	snprintf(text, sizeof(text), "%s", fake_service_info(&service));
	fake_service_stop(&service);
	fake_host_fini(&host);
	return text;
}

bool
kit_mapped(const char *file)
{
	char line[1024], want[280];
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;

	assert_non_null(maps);
	snprintf(want, sizeof(want), "memfd:berth:%s", file);
	while (!found && fgets(line, sizeof(line), maps))
		found = strstr(line, want) != NULL;
	fclose(maps);
	return found;
}
