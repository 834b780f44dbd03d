/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * completion: the files that teach bash and zsh our verbs, options and, by
 * asking the host, the names of its services.  @NAME@ in the frames below is
 * what the tables have to say there.
 *
 * The host is asked over the socket that the line so far names.  When it does
 * not answer soon, there are no names: a TAB waits for nobody.  What it
 * answers is compared and inserted, never run.
 */
#include <string.h>

#include "client/client.h"

/* One name a line; names hold no quotes. */
#define LIST_SERVICES                                                          \
	"berthctl \"${door[@]}\" --timeout 2 --json list 2>/dev/null |\n"      \
	"\t    tr '{' '\\n' | sed -n 's/^\"name\":\"\\([^\"]*\\)\".*/\\1/p'"

static const char bash[] =
    "# SPDX-License-Identifier: BSD-2-Clause\n"
    "# Completion of berthctl for bash, by berthctl --completion bash.\n"
    "\n"
    "_berthctl_offer()\n"
    "{\n"
    "	local word\n"
    "\n"
    "	for word; do\n"
    "		[[ $word != \"$cur\"* ]] || COMPREPLY+=(\"$word\")\n"
    "	done\n"
    "}\n"
    "\n"
    "_berthctl_verbs()\n"
    "{\n"
    "	_berthctl_offer @verbs@\n"
    "}\n"
    "\n"
    "_berthctl_levels()\n"
    "{\n"
    "	_berthctl_offer @levels@\n"
    "}\n"
    "\n"
    "_berthctl_files()\n"
    "{\n"
    "	compopt -o filenames 2>/dev/null\n"
    "	mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "}\n"
    "\n"
    "# With the words that may stand for one.\n"
    "_berthctl_services()\n"
    "{\n"
    "	local -a names\n"
    "\n"
    "	mapfile -t names < <(" LIST_SERVICES ")\n"
    "	_berthctl_offer \"$@\" \"${names[@]}\"\n"
    "}\n"
    "\n"
    "# The first word after a verb.\n"
    "_berthctl_word()\n"
    "{\n"
    "	case $1 in\n"
    "@words@"
    "	esac\n"
    "}\n"
    "\n"
    "_berthctl_value()\n"
    "{\n"
    "	case $1 in\n"
    "	@files@)\n"
    "		_berthctl_files ;;\n"
    "	@languages@)\n"
    "		_berthctl_offer @formats@ ;;\n"
    "	@shells@)\n"
    "		_berthctl_offer bash zsh ;;\n"
    "	esac\n"
    "}\n"
    "\n"
    "_berthctl()\n"
    "{\n"
    "	local cur=${COMP_WORDS[COMP_CWORD]} verb= count=0 i last\n"
    "	local -a door=() line\n"
    "\n"
    "	COMPREPLY=()\n"
    "	# Not COMP_WORDS: it is cut at colons, and doors have some.\n"
    "	read -ra line <<<\"${COMP_LINE:0:COMP_POINT}.\"\n"
    "	last=$((${#line[@]} - 1))\n"
    "	for ((i = 1; i < last; i++)); do\n"
    "		case ${line[i]} in\n"
    "		@takers@)\n"
    "			if ((i + 1 == last)); then\n"
    "				_berthctl_value \"${line[i]}\"\n"
    "				return\n"
    "			fi\n"
    "			door+=(\"${line[i]}\" "
    "\"${line[i + 1]/#\\~\\//$HOME/}\")\n"
    "			((++i)) ;;\n"
    "		-*=*)\n"
    "			door+=(\"${line[i]}\") ;;\n"
    "		-*) ;;\n"
    "		*)\n"
    "			((count++ > 0)) || verb=${line[i]} ;;\n"
    "		esac\n"
    "	done\n"
    "	if [[ $cur == -* ]]; then\n"
    "		_berthctl_offer @options@\n"
    "	elif ((count == 0)); then\n"
    "		_berthctl_verbs\n"
    "	elif ((count == 1)); then\n"
    "		_berthctl_word \"$verb\"\n"
    "	fi\n"
    "}\n"
    "\n"
    "complete -F _berthctl berthctl\n";

static const char zsh[] =
    "#compdef berthctl\n"
    "# SPDX-License-Identifier: BSD-2-Clause\n"
    "# Completion of berthctl for zsh, by berthctl --completion zsh.\n"
    "\n"
    "_berthctl_verbs()\n"
    "{\n"
    "	local -a verbs=(\n"
    "@verb_rows@"
    "	)\n"
    "	_describe command verbs\n"
    "}\n"
    "\n"
    "_berthctl_levels()\n"
    "{\n"
    "	compadd @levels@\n"
    "}\n"
    "\n"
    "_berthctl_files()\n"
    "{\n"
    "	_files\n"
    "}\n"
    "\n"
    "# With the words that may stand for one.\n"
    "_berthctl_services()\n"
    "{\n"
    "	local -a door names=(\"$@\")\n"
    "	local option\n"
    "\n"
    "	for option in -s --socket --token; do\n"
    "		[[ -n ${opt_args[$option]} ]] &&\n"
    "		    door+=($option \"${(Q)opt_args[$option]}\")\n"
    "	done\n"
    "	names+=(${(f)\"$(" LIST_SERVICES ")\"})\n"
    "	compadd -a names\n"
    "}\n"
    "\n"
    "_berthctl()\n"
    "{\n"
    "	local curcontext=$curcontext state line\n"
    "	typeset -A opt_args\n"
    "\n"
    "	_arguments -C \\\n"
    "@option_rows@"
    "	    '1:command:_berthctl_verbs' \\\n"
    "	    '*::word:->words' && return\n"
    "	[[ $state == words ]] && ((CURRENT == 2)) || return\n"
    "	case $words[1] in\n"
    "@words@"
    "	esac\n"
    "}\n"
    "\n"
    "_berthctl \"$@\"\n";

static void
put(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

/* --- what the tables say --- */

static void
put_verbs(struct text *text)
{
	const struct verb *verb = verbs_table();

	for (; verb->name != NULL; verb++)
		text_printf(
		    text, "%s%s", verb == verbs_table() ? "" : " ", verb->name);
}

static void
put_levels(struct text *text)
{
	const char *const *level = verbs_levels();

	for (; *level != NULL; level++)
		text_printf(
		    text, "%s%s", level == verbs_levels() ? "" : " ", *level);
}

static void
put_options(struct text *text)
{
	const struct option_row *row = options_table();

	for (; row->name != NULL; row++)
		text_printf(text, "%s--%s", row == options_table() ? "" : " ",
		    row->name);
}

/* "-s|--socket|…": the options that take one of these, as a pattern. */
static void
put_pattern(struct text *text, const char *arguments)
{
	const struct option_row *row = options_table();
	const char *bar = "";

	for (; row->name != NULL; row++) {
		if (row->argument == NULL ||
		    strstr(arguments, row->argument) == NULL)
			continue;
		if (row->letter != 0)
			text_printf(text, "%s-%c|", bar, row->letter);
		text_printf(
		    text, "%s--%s", row->letter != 0 ? "" : bar, row->name);
		bar = "|";
	}
}

static void
put_takers(struct text *text)
{
	put_pattern(text, "PATH FILE SECONDS SHELL FORMAT");
}

static void
put_files(struct text *text)
{
	put_pattern(text, "PATH FILE");
}

static void
put_shells(struct text *text)
{
	put_pattern(text, "SHELL");
}

static void
put_languages(struct text *text)
{
	put_pattern(text, "FORMAT");
}

static void
put_formats(struct text *text)
{
	for (int i = CONFIG_SVC; config_format_name(i) != NULL; i++)
		text_printf(text, "%s%s", i == CONFIG_SVC ? "" : " ",
		    config_format_name(i));
}

/* Which function completes a verb's word; both shells say `case` alike. */
static void
put_words(struct text *text)
{
	static const struct {
		enum verb_words words;
		const char *function;
	} kinds[] = {
	    {WORDS_FILE, "files"},
	    {WORDS_SERVICE, "services"},
	    {WORDS_SERVICE_OR_ALL, "services all"},
	    {WORDS_LEVEL, "levels"},
	    {WORDS_VERB, "verbs"},
	};

	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		const struct verb *verb = verbs_table();
		const char *bar = "\t";

		for (; verb->name != NULL; verb++) {
			if (verb->words != kinds[i].words)
				continue;
			text_printf(text, "%s%s", bar, verb->name);
			bar = "|";
		}
		text_printf(
		    text, ")\n\t\t_berthctl_%s ;;\n", kinds[i].function);
	}
}

/* Inside single quotes, where zsh wants a backslash before : [ and ]. */
static void
put_quoted(struct text *text, const char *words)
{
	for (; *words != '\0'; words++) {
		if (*words == '\'')
			put(text, "'\\'");
		else if (strchr(":[]", *words) != NULL)
			put(text, "\\");
		text_add(text, words, 1);
	}
}

static void
put_verb_rows(struct text *text)
{
	const struct verb *verb = verbs_table();

	for (; verb->name != NULL; verb++) {
		text_printf(text, "\t    '%s:", verb->name);
		put_quoted(text, verb->help);
		put(text, "'\n");
	}
}

static void
put_zsh_action(const char *argument, struct text *text)
{
	if (strcmp(argument, "PATH") == 0 || strcmp(argument, "FILE") == 0) {
		put(text, "_files");
	} else if (strcmp(argument, "FORMAT") == 0) {
		put(text, "(");
		put_formats(text);
		put(text, ")");
	} else {
		put(text, strcmp(argument, "SHELL") == 0 ? "(bash zsh)" : " ");
	}
}

static void
put_option_rows(struct text *text)
{
	const struct option_row *row = options_table();

	for (; row->name != NULL; row++) {
		bool value = row->argument != NULL;

		text_printf(text, "\t    ");
		if (row->letter != 0)
			text_printf(text, "'(-%c --%s)'{-%c%s,--%s%s}",
			    row->letter, row->name, row->letter,
			    value ? "+" : "", row->name, value ? "=" : "");
		else
			text_printf(
			    text, "--%s%s", row->name, value ? "=" : "");
		put(text, "'[");
		put_quoted(text, row->help);
		put(text, "]");
		if (value) {
			text_printf(text, ":%s:", row->argument);
			put_zsh_action(row->argument, text);
		}
		put(text, "' \\\n");
	}
}

/* --- frames --- */

static const struct mark {
	const char *name;
	void (*put)(struct text *text);
} marks[] = {
    {"@verbs@", put_verbs},
    {"@levels@", put_levels},
    {"@options@", put_options},
    {"@takers@", put_takers},
    {"@files@", put_files},
    {"@shells@", put_shells},
    {"@languages@", put_languages},
    {"@formats@", put_formats},
    {"@words@", put_words},
    {"@verb_rows@", put_verb_rows},
    {"@option_rows@", put_option_rows},
};

static const struct mark *
find_mark(const char *at)
{
	for (size_t i = 0; i < BASE_COUNT(marks); i++)
		if (strncmp(at, marks[i].name, strlen(marks[i].name)) == 0)
			return &marks[i];
	return NULL;
}

static void
fill(const char *frame, struct text *text)
{
	size_t size;

	for (; *frame != '\0'; frame += size) {
		const struct mark *mark = find_mark(frame);

		if (mark != NULL) {
			mark->put(text);
			size = strlen(mark->name);
			continue;
		}
		size = 1 + strcspn(frame + 1, "@");
		text_add(text, frame, size);
	}
}

int
completion_print(const char *shell, struct text *text)
{
	bool is_bash = strcmp(shell, "bash") == 0;

	if (!is_bash && strcmp(shell, "zsh") != 0)
		return CLIENT_USAGE;
	fill(is_bash ? bash : zsh, text);
	return 0;
}
