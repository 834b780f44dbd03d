/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acl_build: the tree is made from sorted prefixes, once, from above.
 *
 * Sorted by address and length, a network comes before what lies in it, and
 * all that lies in a slot of a node is one run of the list.  So each node is
 * made from a run: short prefixes fill its slots, longer ones fill over
 * shorter ones because they come later, and what is longer than the node
 * reaches is the run of a child, or its tail if it is alone.
 *
 * Results: 0, -ENOMEM, or -EFBIG.
 */
#include "guard/acl_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PREFIXES_MAX (UINT32_MAX / 4)
#define CACHE_LINE 64u
#define LARGE_PAGE (2u << 20)

struct run {
	uint32_t from, to;  /* in prefixes */
	enum acl_rule rule; /* of what lies around it */
};

struct build {
	struct acl_tree *tree;
	const struct acl_prefix *prefixes;
	uint32_t node_room;
	uint32_t tail_room;
};

/* --- the list --------------------------------------------------------------
 */

static int
compare(const void *a, const void *b)
{
	const struct acl_prefix *one = a, *two = b;

	if (one->key.high != two->key.high)
		return one->key.high < two->key.high ? -1 : 1;
	if (one->key.low != two->key.low)
		return one->key.low < two->key.low ? -1 : 1;
	return (int)one->bits - (int)two->bits;
}

static bool
is_sorted(const struct acl_prefix *prefixes, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (compare(&prefixes[i - 1], &prefixes[i]) > 0)
			return false;
	return true;
}

/* Sorted, each one once; the stronger of two rules stays. */
static uint32_t
tidy(struct acl_prefix *prefixes, size_t count)
{
	uint32_t kept = 0;

	if (!is_sorted(prefixes, count))
		qsort(prefixes, count, sizeof(*prefixes), compare);
	for (size_t i = 0; i < count; i++) {
		struct acl_prefix *last = kept > 0 ? &prefixes[kept - 1] : NULL;

		if (last == NULL || compare(last, &prefixes[i]) != 0)
			prefixes[kept++] = prefixes[i];
		else if (prefixes[i].rule > last->rule)
			last->rule = prefixes[i].rule;
	}
	return kept;
}

/* --- memory ----------------------------------------------------------------
 */

static uint32_t
grown(uint32_t room, uint32_t wanted)
{
	uint32_t more = room < 16 ? 16 : room + room / 2;

	return more < wanted ? wanted : more;
}

static int
take_nodes(struct build *build, uint32_t count, uint32_t *ret_first)
{
	struct acl_tree *tree = build->tree;
	uint32_t wanted = tree->node_count + count;

	if (wanted > build->node_room) {
		uint32_t room = grown(build->node_room, wanted);
		struct acl_node *nodes = reallocarray(
		    tree->nodes, room, sizeof(*nodes));

		if (nodes == NULL)
			return -ENOMEM;
		tree->nodes = nodes;
		build->node_room = room;
	}
	*ret_first = tree->node_count;
	tree->node_count = wanted;
	return 0;
}

static int
take_tails(struct build *build, uint32_t count, uint32_t *ret_first)
{
	struct acl_tree *tree = build->tree;
	uint32_t wanted = tree->tail_count + count;

	if (wanted > build->tail_room) {
		uint32_t room = grown(build->tail_room, wanted);
		struct acl_prefix *tails = reallocarray(
		    tree->tails, room, sizeof(*tails));

		if (tails == NULL)
			return -ENOMEM;
		tree->tails = tails;
		build->tail_room = room;
	}
	*ret_first = tree->tail_count;
	tree->tail_count = wanted;
	return 0;
}

/* Aligned, and nothing to spare.  What is large lies in large pages where the
 * kernel has them, since it is looked at here and there. */
static void *
pack(const void *from, size_t count, size_t size)
{
	size_t bytes = count * size;
	size_t alignment = bytes >= LARGE_PAGE ? LARGE_PAGE : CACHE_LINE;
	size_t room = (bytes + alignment - 1) / alignment * alignment;
	void *to = aligned_alloc(alignment, room);

	if (to == NULL)
		return NULL;
	if (alignment == LARGE_PAGE)
		(void)madvise(to, room, MADV_HUGEPAGE);
	memcpy(to, from, bytes);
	return to;
}

static int
settle(struct acl_tree *tree)
{
	struct acl_node *nodes = pack(
	    tree->nodes, tree->node_count, sizeof(*nodes));
	struct acl_prefix *tails;

	if (nodes == NULL)
		return -ENOMEM;
	free(tree->nodes);
	tree->nodes = nodes;
	if (tree->tail_count == 0)
		return 0;
	tails = pack(tree->tails, tree->tail_count, sizeof(*tails));
	if (tails == NULL)
		return -ENOMEM;
	free(tree->tails);
	tree->tails = tails;
	return 0;
}

/* --- one node --------------------------------------------------------------
 */

static unsigned
common_bits(struct acl_key a, struct acl_key b)
{
	uint64_t high = a.high ^ b.high, low = a.low ^ b.low;

	if (high != 0)
		return (unsigned)__builtin_clzll(high);
	return low != 0 ? 64 + (unsigned)__builtin_clzll(low) : 128;
}

/* How many bits may be skipped: all have them, and no prefix ends in them. */
static unsigned
common_depth(const struct build *build, const struct run *run)
{
	const struct acl_prefix *list = build->prefixes;
	unsigned depth = common_bits(
	    list[run->from].key, list[run->to - 1].key);

	for (uint32_t i = run->from; i < run->to; i++)
		if (list[i].bits <= depth)
			depth = list[i].bits - 1u;
	return depth - depth % ACL_STRIDE;
}

static void
fill(struct acl_node *node, unsigned slot, unsigned count, enum acl_rule rule)
{
	uint64_t mask = (count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX)
			<< slot;

	node->allow &= ~mask;
	node->deny &= ~mask;
	if (rule == ACL_ALLOW)
		node->allow |= mask;
	else if (rule == ACL_DENY)
		node->deny |= mask;
}

/* The end of those from `from` on that lie in the same slot as it. */
static uint32_t
slot_end(const struct build *build, const struct acl_node *node,
    const struct run *run, uint32_t from)
{
	const struct acl_prefix *list = build->prefixes;
	unsigned slot = acl_key_slot(list[from].key, node->depth);

	do
		from++;
	while (from < run->to &&
	       acl_key_slot(list[from].key, node->depth) == slot);
	return from;
}

static bool
is_short(const struct acl_node *node, const struct acl_prefix *prefix)
{
	return prefix->bits <= node->depth + ACL_STRIDE;
}

/* Answers of the slots, and which of them lead on. */
static void
mark(const struct build *build, const struct run *run, struct acl_node *node)
{
	uint32_t i = run->from;

	fill(node, 0, 64, run->rule);
	while (i < run->to) {
		const struct acl_prefix *prefix = &build->prefixes[i];
		unsigned slot = acl_key_slot(prefix->key, node->depth);
		uint32_t end;

		if (is_short(node, prefix)) {
			fill(node, slot,
			    1u << (node->depth + ACL_STRIDE - prefix->bits),
			    (enum acl_rule)prefix->rule);
			i++;
			continue;
		}
		end = slot_end(build, node, run, i);
		if (end - i == 1)
			node->tails |= UINT64_C(1) << slot;
		else
			node->inner |= UINT64_C(1) << slot;
		i = end;
	}
}

static int make_node(struct build *build, const struct run *run, uint32_t at);

/* What the slots lead to; node is a copy, since the array may move. */
static int
make_children(
    struct build *build, const struct run *run, const struct acl_node *node)
{
	uint32_t next_node = node->first_node, next_tail = node->first_tail;
	uint32_t i = run->from;
	int result = 0;

	while (i < run->to && result == 0) {
		const struct acl_prefix *prefix = &build->prefixes[i];
		uint64_t bit = UINT64_C(1)
			       << acl_key_slot(prefix->key, node->depth);
		struct run below = {i, i + 1, ACL_NONE};

		if (!is_short(node, prefix)) {
			below.to = slot_end(build, node, run, i);
			below.rule = node->deny & bit	 ? ACL_DENY
				     : node->allow & bit ? ACL_ALLOW
							 : ACL_NONE;
			if (node->tails & bit)
				build->tree->tails[next_tail++] = *prefix;
			else
				result = make_node(build, &below, next_node++);
		}
		i = below.to;
	}
	return result;
}

/* Recursion is as deep as there are strides in an address. */
static int
make_node(struct build *build, const struct run *run, uint32_t at)
{
	struct acl_node node = {.depth = (uint8_t)common_depth(build, run)};
	int result;

	node.path = acl_key_cut(build->prefixes[run->from].key, node.depth);
	mark(build, run, &node);
	result = take_nodes(build, (uint32_t)__builtin_popcountll(node.inner),
	    &node.first_node);
	if (result == 0)
		result = take_tails(build,
		    (uint32_t)__builtin_popcountll(node.tails),
		    &node.first_tail);
	if (result < 0)
		return result;
	build->tree->nodes[at] = node;
	return make_children(build, run, &node);
}

/* --- the whole -------------------------------------------------------------
 */

static int
make_tree(struct build *build, const struct run *run)
{
	uint32_t root;
	int result;

	if (run->from == run->to)
		return 0;
	result = take_nodes(build, 1, &root);
	if (result == 0)
		result = make_node(build, run, root);
	return result < 0 ? result : settle(build->tree);
}

int
acl_tree_init(struct acl_tree *tree, struct acl_prefix *prefixes, size_t count)
{
	struct build build = {.tree = tree, .prefixes = prefixes};
	struct run all = {0, 0, ACL_NONE};
	int result;

	memset(tree, 0, sizeof(*tree));
	if (count > PREFIXES_MAX)
		return -EFBIG;
	all.to = tidy(prefixes, count);
	tree->prefix_count = all.to;
	if (all.to > 0 && prefixes[0].bits == 0) {
		tree->whole = prefixes[0].rule;
		all.rule = (enum acl_rule)tree->whole;
		all.from = 1;
	}
	result = make_tree(&build, &all);
	if (result < 0)
		acl_tree_fini(tree);
	return result;
}

void
acl_tree_fini(struct acl_tree *tree)
{
	free(tree->nodes);
	free(tree->tails);
	memset(tree, 0, sizeof(*tree));
}
