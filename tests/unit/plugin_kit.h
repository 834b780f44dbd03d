/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin_kit: a folder of plugins and a room's object, for the tests of the
 * room plugin.
 */
#ifndef TESTS_UNIT_PLUGIN_KIT_H
#define TESTS_UNIT_PLUGIN_KIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugin/plugin.h"

struct kit {
	char folder[64]; /* of its own, removed at the end; in plugin_path */
	char file[256];	 /* kit_path() */
	struct plugins *plugins;
	struct errors *errors;
	struct text message;
	struct plugin_identity identity; /* of the last check or open */
	struct image *image;		 /* of the last open */
	const struct berth_service_type *type;
};

/* Setup and teardown of cmocka; *state is the kit. */
int kit_setup(void **state);
int kit_teardown(void **state);

/* FOLDER/NAME; good until the next call. */
const char *kit_path(struct kit *kit, const char *name);
/* Copies tests/plugins/WHAT.so to FOLDER/NAME, in place if that is there. */
void kit_copy(struct kit *kit, const char *what, const char *name);
/* Writes a file of these bytes. */
void kit_write(
    struct kit *kit, const char *name, const void *bytes, size_t size);

/* "echo:make_echo()", "echo:echo_type" or ":echo()", as a service. */
struct plugin_location kit_location(struct kit *kit, const char *location);
int kit_check(struct kit *kit, const char *location);
int kit_open(struct kit *kit, const char *location);
/* Checks and opens: both must fail with this one message, and the same code.
 * FOLDER in the message is written as @. */
void kit_refused(
    struct kit *kit, const char *location, int code, const char *message);
/* The errors of the last call, one a line, the folder as @. */
const char *kit_message(struct kit *kit);
/* What the info hook of the last type says of an instance. */
const char *kit_info(const struct berth_service_type *type);
/* Whether /proc/self/maps has an image of that file. */
bool kit_mapped(const char *file);

#endif
