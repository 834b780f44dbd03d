/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_bed: see ledger_bed.h.
 */
#include "unit/ledger_bed.h"

#include <dirent.h>

int
lines_setup(void **state)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	void *bed = NULL;

	assert_non_null(lines);
	assert_int_equal(bed_setup(&bed), 0);
	lines->bed = bed;
	settings_init(&lines->settings);
	assert_int_equal(
	    ledgers_new(lines->bed->reactor, &lines->bed->log, &lines->ledgers),
	    0);
	*state = lines;
	return 0;
}

/* The bed removes a folder that is empty. */
static void
empty_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[400];

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			assert_int_equal(unlink(path), 0);
	}
	closedir(dir);
}

static void
forget(const char **words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((void *)(uintptr_t)words[i]);
		words[i] = NULL;
	}
}

static void
forget_all(struct lines *lines)
{
	forget(lines->type, BASE_COUNT(lines->type));
	forget(lines->success, BASE_COUNT(lines->success));
	forget(lines->failure, BASE_COUNT(lines->failure));
}

int
lines_teardown(void **state)
{
	struct lines *lines = *state;
	void *bed = lines->bed;

	lines->ledgers = ledgers_free(lines->ledgers);
	forget_all(lines);
	empty_folder(lines->bed->folder);
	assert_int_equal(bed_teardown(&bed), 0);
	free(lines);
	return 0;
}

static void
set_words(
    struct word_list *list, const char *text, const char **words, size_t room)
{
	*list = (struct word_list){words, 0, text != NULL, 0};
	while (text != NULL && *text != '\0') {
		size_t size = strcspn(text, " ");

		assert_true(list->count < room);
		words[list->count++] = strndup(text, size);
		text += size + (text[size] == ' ');
	}
}

void
lines_set(struct lines *lines, const char *type, const char *success,
    const char *failure)
{
	struct settings *settings = &lines->settings;

	forget_all(lines);
	set_words(
	    &settings->log_type, type, lines->type, BASE_COUNT(lines->type));
	set_words(&settings->log_on_success, success, lines->success,
	    BASE_COUNT(lines->success));
	set_words(&settings->log_on_failure, failure, lines->failure,
	    BASE_COUNT(lines->failure));
}

struct ledger *
lines_ledger(struct lines *lines)
{
	struct ledger *ledger = NULL;
	int result = ledger_new(lines->ledgers, "echo", &lines->settings,
	    lines->bed->errors, &ledger);

	if (result != 0)
		fail_msg("%s", bed_error(lines->bed));
	return ledger;
}

void
lines_read(const char *path, struct text *text)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);

	text_reset(text);
	if (fd >= 0)
		assert_int_equal(fd_read_all(fd, 10u << 20, text), 0);
}

unsigned
lines_count(const char *path)
{
	AUTO_TEXT text = {0};
	unsigned count = 0;

	lines_read(path, &text);
	for (size_t i = 0; i < text.size; i++)
		count += text.data[i] == '\n';
	return count;
}
