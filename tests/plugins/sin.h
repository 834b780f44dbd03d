/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sin: what the ill-behaved test plugins share: a note and a type header with
 * any number wrong.
 */
#ifndef TESTS_PLUGINS_SIN_H
#define TESTS_PLUGINS_SIN_H

#include <berth/berth.h>

/* The later value wins: that is the point here. */
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Winitializer-overrides"

/* A good note, but for the members of the descriptor that are given. */
#define SIN_NOTE(symbol_, ...)                                                 \
	__attribute__((section(".note.berth"), used,                           \
	    aligned(4))) static const struct berth_note note_##symbol_ = {     \
	    .owner_size = sizeof(BERTH_NOTE_OWNER),                            \
	    .descriptor_size = sizeof(struct berth_descriptor),                \
	    .note_type = BERTH_NOTE_TYPE,                                      \
	    .owner = BERTH_NOTE_OWNER,                                         \
	    .descriptor = {.magic = BERTH_MAGIC,                               \
		.abi_major = BERTH_ABI_MAJOR,                                  \
		.abi_minor = BERTH_ABI_MINOR,                                  \
		.size = sizeof(struct berth_descriptor),                       \
		.kind = BERTH_KIND_SERVICE,                                    \
		.form = BERTH_FORM_FACTORY,                                    \
		.type_size = sizeof(struct berth_service_type),                \
		.symbol = #symbol_,                                            \
		.version = "0",                                                \
		__VA_ARGS__}}

/* A factory without a note, of a type with these members. */
#define SIN_FACTORY(symbol_, ...)                                              \
	BERTH_EXPORT const struct berth_service_type *symbol_(void);           \
	const struct berth_service_type *symbol_(void)                         \
	{                                                                      \
		static const struct berth_service_type type = {                \
		    .header = BERTH_TYPE_HEADER(BERTH_KIND_SERVICE,            \
			struct berth_service_type, symbol_),                   \
		    __VA_ARGS__};                                              \
		return &type;                                                  \
	}                                                                      \
	struct berth_service

#endif
