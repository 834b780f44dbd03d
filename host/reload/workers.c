/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams around connections that are served in workers, in a plan.
 *
 * A worker makes the stream anew, with modules of its own, so it is handed the
 * stream's directives as they will be after the commit, and the code of each
 * module.  A worker's stream is never changed: a service whose stream will be
 * another one is replaced, and with it its workers, also when the plan says
 * nothing else of the service.
 *
 * Comes when all other fates are known.  Results are 0 or -ENOMEM.
 */
#include <errno.h>
#include <string.h>

#include "reload/reload_priv.h"

/* Modules in the order of a block: the first is nearest to the client. */
struct order {
	const char *names[CHAIN_MODULES_MAX];
	unsigned count;
};

static bool
is_fresh(const struct step *step)
{
	return step != NULL &&
	       (step->fate == FATE_ADD || step->fate == FATE_REPLACE);
}

/* --- the order that the commit will make -----------------------------------*/

static unsigned
order_find(const struct order *order, const char *name)
{
	unsigned at = 0;

	while (at < order->count && strcmp(order->names[at], name) != 0)
		at++;
	return at;
}

/* More than there may be are refused elsewhere, and lost here. */
static void
order_insert(struct order *order, unsigned at, const char *name)
{
	if (order->count == BASE_COUNT(order->names))
		return;
	memmove(&order->names[at + 1], &order->names[at],
	    (order->count - at) * sizeof(order->names[0]));
	order->names[at] = name;
	order->count++;
}

/* Those that keep their places, as places stand: from the head on. */
static void
order_running(const struct plan *plan, const char *stream, struct order *order)
{
	struct record *record = repository_find(
	    plan->options.repository, stream);
	struct instance *running = record != NULL ? record_current(record)
						  : NULL;
	unsigned count = 0;

	if (running != NULL && instance_is_stream(running))
		count = instance_place_count(running);
	while (count > 0) {
		const char *name = instance_place_name(running, --count);
		const struct step *step = plan_find(plan, name);

		if (step == NULL || (step->present && !step->moves))
			order_insert(order, order->count, name);
	}
}

/* In front of the one that is listed next, or at the head. */
static void
order_add(struct order *order, const struct step *step, const char *stream)
{
	const struct step *next = step;
	unsigned at = order->count;

	while (at == order->count && (next = TAILQ_NEXT(next, link)) != NULL)
		if (next->listed && name_is_of_stream(next->name, stream))
			at = order_find(order, next->name);
	order_insert(order, at, step->name);
}

static void
order_of(const struct plan *plan, const char *stream, struct order *ret_order)
{
	struct step *step;

	ret_order->count = 0;
	if (!is_fresh(plan_find(plan, stream)))
		order_running(plan, stream, ret_order);
	TAILQ_FOREACH_REVERSE(step, &plan->steps, step_list, link)
	{
		if (name_is_of_stream(step->name, stream) && step->present &&
		    is_fresh(step) &&
		    order_find(ret_order, step->name) == ret_order->count)
			order_add(ret_order, step, stream);
	}
}

/* --- its directives --------------------------------------------------------*/

/* What it keeps of its own: the attributes of modules and streams are the
 * host's business. */
static int
directive_of_running(const struct plan *plan, const char *name,
    struct settings *settings, struct directive *ret_directive)
{
	struct record *record = repository_find(plan->options.repository, name);

	if (record == NULL || record_current(record) == NULL)
		return -ENOENT;
	definition_directive(instance_definition(record_current(record)),
	    settings, ret_directive);
	return 0;
}

/* As it will be. */
static int
directive_of(struct plan *plan, const char *name, struct settings *settings,
    struct directive *ret_directive)
{
	const struct step *step = plan_find(plan, name);

	if (step == NULL || step->definition == NULL)
		return directive_of_running(
		    plan, name, settings, ret_directive);
	*ret_directive = *step->definition;
	ret_directive->settings = settings;
	TAILQ_INIT(&ret_directive->modules);
	return 0;
}

/* One of the stream's directives, by its own name there. */
static int
add_part(struct plan *plan, struct around_text *around, const char *name)
{
	struct settings *none = arena_alloc(plan->arena, sizeof(*none));
	struct directive *part = &around->parts[around->count];
	const char *slash = strrchr(name, '/');
	AUTO_TEXT words;
	int result;

	if (none == NULL)
		return -ENOMEM;
	result = directive_of(plan, name, none, part);
	if (result < 0)
		return result;
	text_init(&words);
	arguments_print(part->argc, part->argv, &words);
	part->arguments = arena_string(plan->arena, text_string(&words));
	if (slash != NULL)
		part->name = slash + 1;
	part->inactive = false;
	around->count++;
	return words.failed || part->arguments == NULL ? -ENOMEM : 0;
}

static int
print_parts(struct plan *plan, struct around_text *around)
{
	struct directive stream = {
	    .kind = DIRECTIVE_STREAM,
	    .name = around->parts[0].name,
	    .defines = &around->parts[0],
	    .has_block = true,
	};
	AUTO_TEXT text;

	TAILQ_INIT(&stream.modules);
	for (unsigned i = 1; i < around->count; i++)
		TAILQ_INSERT_TAIL(&stream.modules, &around->parts[i], link);
	text_init(&text);
	if (directive_print(&stream, &text) < 0)
		return -ENOMEM;
	around->text = arena_string(plan->arena, text_string(&text));
	return around->text == NULL ? -ENOMEM : 0;
}

/* What is wrong with the stream has been told: then there is none. */
static int
describe(struct plan *plan, const char *stream, struct around_text **ret_around)
{
	struct around_text *around = arena_alloc(plan->arena, sizeof(*around));
	struct order order;
	int result;

	if (around == NULL)
		return -ENOMEM;
	order_of(plan, stream, &order);
	around->parts = arena_alloc(
	    plan->arena, (order.count + 1) * sizeof(*around->parts));
	if (around->parts == NULL)
		return -ENOMEM;
	result = add_part(plan, around, stream);
	for (unsigned i = 0; result == 0 && i < order.count; i++)
		result = add_part(plan, around, order.names[i]);
	if (result == 0)
		result = print_parts(plan, around);
	if (result == -ENOENT)
		return 0;
	*ret_around = around;
	return result;
}

/* --- the services ----------------------------------------------------------*/

/* Is a module made anew that is defined as it was? */
static bool
has_fresh_parts(const struct plan *plan, const char *stream)
{
	const struct step *step;

	TAILQ_FOREACH (step, &plan->steps, link)
		if (is_fresh(step) &&
		    (strcmp(step->name, stream) == 0 ||
			name_is_of_stream(step->name, stream)))
			return true;
	return false;
}

static bool
has_stream(const struct settings *settings, uint32_t type)
{
	return definition_has_workers(settings, type) &&
	       settings->stream != NULL && settings->stream[0] != '\0';
}

static bool
differs(const struct plan *plan, const struct step *step, const char *stream)
{
	const char *now = instance_around(step_running(step));
	const char *then = step->around != NULL ? step->around->text : NULL;

	return !plan_same_string(now, then) ||
	       (then != NULL && has_fresh_parts(plan, stream));
}

static void
replace(struct step *step)
{
	step->fate = FATE_REPLACE;
	if (step->reason[0] == '\0')
		step->reason = "its stream has changed";
}

static int
check_step(struct plan *plan, struct step *step)
{
	const struct settings *settings = step->definition->settings;
	int result = 0;

	if (has_stream(settings, step->definition->type))
		result = describe(plan, settings->stream, &step->around);
	if (result < 0 || step->fate == FATE_ADD || step->fate == FATE_REPLACE)
		return result;
	if (differs(plan, step, settings->stream))
		replace(step);
	return 0;
}

/* The plan says nothing of the service but, perhaps, its state: it is defined
 * as it was. */
static int
check_record(struct plan *plan, struct record *record)
{
	struct instance *running = record_current(record);
	const struct definition *now = instance_definition(running);
	struct step *about = plan_find(plan, now->settings->stream), *step;
	struct step *known = plan_find(plan, record_name(record));
	struct step trial = {.record = record, .reason = ""};
	struct directive *directive;
	int result;

	if (known != NULL && (!known->present || known->definition != NULL))
		return 0;
	result = describe(plan, now->settings->stream, &trial.around);
	if (result < 0 || trial.around == NULL ||
	    !differs(plan, &trial, now->settings->stream))
		return result;
	directive = arena_alloc(plan->arena, sizeof(*directive));
	if (directive == NULL ||
	    plan_need_step(plan, record_name(record), &step) < 0)
		return -ENOMEM;
	result = directive_of_running(plan, step->name, NULL, directive);
	directive->settings = arena_alloc(plan->arena, sizeof(struct settings));
	if (result < 0 || directive->settings == NULL)
		return -ENOMEM;
	*directive->settings = *now->settings;
	if (known == NULL && about != NULL)
		step->place = about->place;
	directive->place = directive->name_place = step->place;
	directive->location_place = step->place;
	step->definition = directive;
	step->identity = now->identity;
	step->around = trial.around;
	step->renewed = true;
	replace(step);
	return 0;
}

int
plan_renew_workers(struct plan *plan)
{
	struct record *record = repository_first(plan->options.repository);
	struct step *step;
	int result = 0;

	TAILQ_FOREACH (step, &plan->steps, link) {
		if (!step->present || step->definition == NULL)
			continue;
		result = check_step(plan, step);
		if (result < 0)
			return result;
	}
	for (; result == 0 && record != NULL; record = record_next(record)) {
		struct instance *running = record_current(record);

		if (running != NULL && instance_around(running) != NULL)
			result = check_record(plan, record);
	}
	return result;
}

/* --- the preparation -------------------------------------------------------*/

static bool
is_copied(const struct directive *service, const struct around_text *around,
    unsigned part)
{
	const char *path = around->parts[part].path;

	if (path == NULL || plan_same_string(service->path, path))
		return true;
	for (unsigned i = 0; i < part; i++)
		if (plan_same_string(around->parts[i].path, path))
			return true;
	return false;
}

/* Each file once: a worker finds its copy by the path. */
int
plan_hand_stream(struct plan *plan, struct step *step)
{
	const struct around_text *around = step->around;
	int result;

	if (around == NULL)
		return 0;
	result = instance_set_around(step->fresh, around->text);
	for (unsigned i = 0; result == 0 && i < around->count; i++) {
		const struct directive *part = &around->parts[i];
		const struct plugin_location where = {
		    .path = part->path,
		    .symbol = part->symbol,
		    .factory = part->factory,
		    .kind = part->type,
		};
		struct plugin_identity identity;
		int fd = -1;

		if (is_copied(step->definition, around, i))
			continue;
		result = plugin_copy(plan->options.plugins, &where,
		    &step->place, plan->options.errors, &fd, &identity);
		if (result == 0)
			result = instance_add_plugin(
			    step->fresh, part->path, fd);
	}
	return result;
}
