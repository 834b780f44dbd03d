/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/abi.h>: the numbers and records by which host and plugin agree
 * before any code of the plugin runs.
 *
 * A plugin carries one ELF note (owner "Berth") for each type that it
 * exports; the host reads the notes from the file, judges them, and only then
 * calls dlopen(3).  The type object repeats the numbers, so that a static
 * service is judged by the same rule.
 *
 * Compatibility: the majors must be equal, and the plugin's minor must not be
 * greater than the host's.  Additions go to the end of a structure and raise
 * the minor; no number of a released version is ever used in another sense.
 *
 * History
 *   1.0  services, event sessions, datagrams, handlers, timers, posts, threads,
 *	  state hand-over, readiness
 *   1.1  messages, queues, modules, streams; sequential sessions: serve, peek,
 *	  take, sleep, deadline; sessions in many threads; connections handed
 *	  over
 *   1.2  modules around connections: filters, the identity of a peer;
 *	  connections that a service makes
 *   1.3  sinks of the host's log; answers to datagrams after their session;
 *	  watches of streams
 */
#ifndef BERTH_ABI_H
#define BERTH_ABI_H

#include <stddef.h>
#include <stdint.h>

#define BERTH_MAGIC 0x48545242u /* "BRTH" in memory, little endian */
#define BERTH_ABI_MAJOR 1
#define BERTH_ABI_MINOR 3

#define BERTH_NOTE_OWNER "Berth" /* with its NUL, 6 bytes */
#define BERTH_NOTE_TYPE 1u

/* What a factory makes; the words of the svc.conf type column. */
#define BERTH_KIND_SERVICE 1u /* Service_Object */
#define BERTH_KIND_MODULE 2u  /* Module */
#define BERTH_KIND_STREAM 3u  /* STREAM */

/* How the exported symbol is used. */
#define BERTH_FORM_FACTORY 1u /* path:symbol(), a function */
#define BERTH_FORM_OBJECT 2u  /* path:symbol, the type object itself */
#define BERTH_FORM_FILTER 3u  /* as 1, of a module with a filter (1.2) */

/*
 * The descriptor of a note.  Text is NUL-terminated and padded: a symbol has at
 * most 63 bytes, a version 31.
 */
struct berth_descriptor {
	uint32_t magic; /* BERTH_MAGIC */
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t size;	    /* of this record, bytes */
	uint32_t kind;	    /* BERTH_KIND_* */
	uint32_t form;	    /* BERTH_FORM_* */
	uint32_t type_size; /* sizeof(struct berth_service_type) or kin */
	char symbol[64];
	char version[32];
};

/* As it lies in the file; <elf.h> calls the first three namesz, descsz, type.
 */
struct berth_note {
	uint32_t owner_size;
	uint32_t descriptor_size;
	uint32_t note_type;
	char owner[8]; /* padded to a multiple of 4 */
	struct berth_descriptor descriptor;
};

/* First in every type object, and filled by the macros. */
struct berth_type_header {
	uint32_t magic;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t size;	     /* of the whole type object, bytes */
	uint32_t kind;	     /* BERTH_KIND_* */
	const char *symbol;  /* its factory, or the object itself */
	const char *version; /* the plugin's */
};

/* The author's own version of the plugin, for `show`; define it before the
 * include. */
#ifndef BERTH_PLUGIN_VERSION
#define BERTH_PLUGIN_VERSION "0"
#endif

#ifdef __cplusplus
#define BERTH_EXTERN_C extern "C"
#else
#define BERTH_EXTERN_C
#endif

/* Factories and type objects are all that a plugin exports: compile it with
 * -fvisibility=hidden, and this is what stays visible. */
#define BERTH_EXPORT __attribute__((visibility("default")))

#define BERTH_TYPE_HEADER(kind, type, symbol)                                  \
	{                                                                      \
		BERTH_MAGIC, BERTH_ABI_MAJOR, BERTH_ABI_MINOR,                 \
		    (uint32_t)sizeof(type), kind, #symbol,                     \
		    BERTH_PLUGIN_VERSION                                       \
	}

#define BERTH_NOTE(kind, form, type, symbol)                                   \
	__attribute__((section(".note.berth"), used,                           \
	    aligned(                                                           \
		4))) static const struct berth_note berth_note_##symbol = {    \
	    sizeof(BERTH_NOTE_OWNER), sizeof(struct berth_descriptor),         \
	    BERTH_NOTE_TYPE, BERTH_NOTE_OWNER,                                 \
	    {BERTH_MAGIC, BERTH_ABI_MAJOR, BERTH_ABI_MINOR,                    \
		sizeof(struct berth_descriptor), kind, form, sizeof(type),     \
		#symbol, BERTH_PLUGIN_VERSION}}

#endif
