/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people see of every shape of a result, and of replies that no host
 * would give: keys that are missing, values of another kind.
 */
#include "unit/unit.h"

#include <locale.h>
#include <string.h>

#include <jansson.h>

#include "config.h"
#include "client/client.h"

#define LIST                                                                   \
	"[{'name':'echo','state':'active','generation':2,'draining':1,"        \
	"'sessions':3,'endpoints':['tcp:127.0.0.1:7','udp:127.0.0.1:7']},"     \
	"{'name':'time','state':'suspended','generation':1,'draining':0,"      \
	"'sessions':0,'endpoints':[]}]"

#define MISTAKE                                                                \
	"{'file':'svc.conf','line':12,'column':8,'length':4,"                  \
	"'severity':'error','text':'no service','line_text':'remove Ecko'}"
#define MISTAKE_TEXT                                                           \
	"svc.conf:12:8: error: no service\n"                                   \
	"   12 | remove Ecko\n"                                                \
	"      |        ^~~~\n"

#define CHANGES                                                                \
	"{'changed':true,'changes':["                                          \
	"{'service':'a','fate':'add','reason':'','sessions':0},"               \
	"{'service':'b','fate':'replace','reason':'args changed',"             \
	"'sessions':1},"                                                       \
	"{'service':'c','fate':'remove','reason':'removed from file',"         \
	"'sessions':12},"                                                      \
	"{'service':'d','fate':'update','reason':'drain'},"                    \
	"{'service':'e','fate':'suspend','reason':'suspended'},"               \
	"{'service':'f','fate':'bless','reason':''}],"                         \
	"'unchanged':4,'errors':[]}"

struct view_case {
	int (*view)(struct client *client, struct json_t *value);
	const char *json; /* with ' for " */
	const char *out;
	const char *err;
};

static const struct view_case cases[] = {
    {view_value, "null", "", ""},
    {view_value, "'shutting down'", "shutting down\n", ""},
    {view_value, "'one\\u0007line'", "one\\x07line\n", ""},
    {view_value, "7", "7\n", ""},
    {view_value, "true", "yes\n", ""},
    {view_value, "[]", "", ""},
    {view_value, "['a','b',{'c':1},[2]]", "a\nb\n{\"c\":1}\n2\n", ""},
    {view_value, LIST,
	"NAME  STATE      GEN  OLD  SESSIONS  ENDPOINTS\n"
	"echo  active       2    1         3  "
	"tcp:127.0.0.1:7 udp:127.0.0.1:7\n"
	"time  suspended    1    0         0\n",
	""},
    /* No column for old generations when there are none; keys that the first
     * row lacks; a row that is none. */
    {view_value,
	"[{'name':'a','draining':0},{'name':'b','draining':0,'new_key':'x'},"
	"7,{'age_ms':61000,'bytes_in':2048}]",
	"NAME  NEW_KEY    AGE    IN\n"
	"a\n"
	"b     x\n"
	"\n"
	"               1m01s  2.0K\n",
	""},
    {view_value,
	"[{'id':7,'peer':'127.0.0.1:4000','state':'open','age_ms':192000,"
	"'idle_ms':20,'bytes_in':1258291,'bytes_out':5,'pending':0}]",
	"ID  PEER            STATE    AGE  IDLE    IN  OUT  PENDING\n"
	" 7  127.0.0.1:4000  open   3m12s  20ms  1.2M    5        0\n",
	""},
    {view_value,
	"{'name':'echo','since_ms':61000,'bytes_in':1024,'info':'a\\nb\\n',"
	"'old':['generation 1','generation 2'],'none':[],'nested':{'a':[1]},"
	"'empty':''}",
	"name      echo\n"
	"since     1m01s ago\n"
	"bytes_in  1.0K\n"
	"info      a\n"
	"          b\n"
	"old       generation 1\n"
	"          generation 2\n"
	"nested    {\"a\":[1]}\n"
	"empty\n",
	""},
    {view_value, "{'a\\u001bü':1}", "a???  1\n", ""},
    {view_version, "'berthd 9, plugin interface 1.0'",
	"berthctl " PACKAGE_VERSION "\nberthd 9, plugin interface 1.0\n", ""},
    {view_value, CHANGES,
	"+ a\n> b (args changed)\n- c (removed from file)\n~ d (drain)\n"
	"~ e (suspended)\n* f\n= 4 unchanged\n",
	""},
    {view_plan, CHANGES,
	"+ a, 0 sessions\n> b (args changed), 1 session\n"
	"- c (removed from file), 12 sessions\n~ d (drain)\n~ e (suspended)\n"
	"* f\n= 4 unchanged\n",
	""},
    {view_check, CHANGES, "the configuration is good\n", ""},
    {view_value, "{'changes':[],'unchanged':0,'errors':[]}", "= 0 unchanged\n",
	""},
    {view_value,
	"{'changes':[{'service':'a','fate':'add'}],'unchanged':3,"
	"'errors':[" MISTAKE ",{'severity':'note','text':'so'}]}",
	"", MISTAKE_TEXT "note: so\n! nothing changed: 1 error\n"},
    {view_check, "{'changes':[],'errors':[" MISTAKE "]}", "", MISTAKE_TEXT},
    {view_value,
	"{'changes':[],'errors':[" MISTAKE ",{'severity':'more','of':'error',"
	"'count':7,'text':'… and 7 more errors'},{'severity':'more',"
	"'of':'warning','count':2,'text':'… and 2 more warnings'}]}",
	"",
	MISTAKE_TEXT "… and 7 more errors\n… and 2 more warnings\n"
		     "! nothing changed: 8 errors\n"},
    /* A warning refuses nothing. */
    {view_check,
	"{'changes':[],'errors':[{'severity':'warning','file':'f',"
	"'line':3,'text':'odd'}]}",
	"the configuration is good\n", "f:3: warning: odd\n"},
    /* Nonsense. */
    {view_plan, "'text'", "text\n", ""},
    {view_check, "null", "", ""},
    {view_value,
	"{'changes':[7,{'service':3,'fate':[]}],'unchanged':'x','errors':7}",
	"*\n*\n", ""},
    {view_value,
	"{'changes':[],'errors':[7,{'line':-1,'column':99999999999,"
	"'line_text':'x','length':4000000000,'text':null,'file':1}]}",
	"", "error: \nerror: \n! nothing changed: 2 errors\n"},
};

static json_t *
load(const char *text)
{
	char *copy = strdup(text), *quote = copy;
	json_error_t error;
	json_t *json;

	while ((quote = strchr(quote, '\'')) != NULL)
		*quote = '"';
	json = json_loads(copy, JSON_DECODE_ANY, &error);
	if (json == NULL)
		fail_msg("%s: %s", text, error.text);
	free(copy);
	return json;
}

static void
test_views(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		json_t *json = load(cases[i].json);
		struct client client;

		client_init(&client);
		assert_int_equal(cases[i].view(&client, json), 0);
		assert_string_equal(text_string(&client.out), cases[i].out);
		assert_string_equal(text_string(&client.err), cases[i].err);
		client_fini(&client);
		json_decref(json);
	}
}

static void
test_colour(void **state)
{
	json_t *list = load("[{'name':'a','state':'failed'}]");
	json_t *changes = load("{'changes':[{'service':'a','fate':'add'}]}");
	json_t *facts = load("{'last_reload':'refused'}");
	struct client client;

	(void)state;
	client_init(&client);
	client.screen.colour = true;
	view_value(&client, list);
	view_value(&client, changes);
	view_value(&client, facts);
	assert_string_equal(text_string(&client.out),
	    "\033[1mNAME\033[0m  \033[1mSTATE\033[0m\n"
	    "a     \033[31mfailed\033[0m\n"
	    "\033[32m+\033[0m a\n"
	    "\033[1mlast_reload\033[0m  \033[31mrefused\033[0m\n");
	client_fini(&client);
	json_decref(list);
	json_decref(changes);
	json_decref(facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_views),
	    cmocka_unit_test(test_colour),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
