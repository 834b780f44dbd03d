/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_yaml: what the files that read YAML share.
 */
#ifndef CONFIG_CONFIG_YAML_H
#define CONFIG_CONFIG_YAML_H

#include <yaml.h>

#include "config/config_formats.h"

struct yaml {
	struct reader *reader;
	const struct source *source;
	yaml_document_t *document;
};

/* yaml.c */
struct place yaml_place(const struct yaml *yaml, const yaml_node_t *node);
/* A scalar's text, or a mistake. */
int yaml_text(
    const struct yaml *yaml, const yaml_node_t *node, struct value *ret_value);
/* A scalar, or a list of them, in reader->values; list: a plain scalar is
 * split at its blanks. */
int yaml_values(const struct yaml *yaml, const yaml_node_t *node, bool list,
    unsigned *ret_count);

/* yaml_item.c: one directive, into the tree */
int yaml_item(const struct yaml *yaml, const yaml_node_t *node);
/* yaml_stream.c */
int yaml_stream(const struct yaml *yaml, const yaml_node_t *node);
/* yaml_block.c: keys of a mapping that are attributes; those for which
 * `skip` says so are not looked at */
int yaml_block(const struct yaml *yaml, const yaml_node_t *node,
    enum attribute_scope scope, void *values, bool (*skip)(const char *key));

#endif
