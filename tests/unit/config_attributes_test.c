/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of attributes: it is whole, its defaults are what it says, values
 * print and copy, and the manual has every row as it stands.
 *
 * With CONFIG_UPDATE in the environment the manual's lists are written anew.
 */
#include "unit/config_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const enum attribute_scope scopes[] = {
    ATTRIBUTE_SERVICE, ATTRIBUTE_HOST};

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(scopes); i++) {
		const struct attribute *table = attributes(scopes[i]), *row;

		for (row = table; row->name != NULL; row++) {
			size_t help = strlen(row->help);

			assert_int_equal(row->scope, scopes[i]);
			assert_ptr_equal(
			    attribute_find(scopes[i], row->name), row);
			assert_true(row->syntax[0] != '\0');
			assert_int_equal(row->help[help - 1], '.');
			assert_true(row->low <= row->high);
			assert_true(
			    strlen(attribute_change_text(row->change)) > 0);
			assert_true((row->kind == VALUE_PART) ==
				    (row->synonym_of != NULL));
			if (row->synonym_of != NULL)
				assert_non_null(
				    attribute_find(scopes[i], row->synonym_of));
		}
		assert_true(row - table <= ATTRIBUTE_ROWS);
		assert_null(attribute_find(scopes[i], "no such"));
	}
}

/* A value prints as its default was written, but for the unit. */
static void
test_defaults(void **state)
{
	struct host_settings host;
	struct settings service;
	const void *values[] = {&service, &host};

	(void)state;
	settings_init(&service);
	host_settings_init(&host);
	for (size_t i = 0; i < BASE_COUNT(scopes); i++) {
		const struct attribute *row = attributes(scopes[i]);

		for (; row->name != NULL; row++) {
			AUTO_TEXT text = {0};

			assert_int_equal(
			    attribute_print(row, values[i], &text), 0);
			assert_string_equal(text_string(&text), row->initial);
		}
	}
	assert_false(given_any(&service.given));
	assert_int_equal(service.backlog, 511);
	assert_int_equal(service.drain_ms, 30000);
	assert_int_equal(service.input_limit_bytes, 65536);
	assert_int_equal(service.concurrency.kind, CONCURRENCY_REACTIVE);
	assert_true(service.nodelay);
	assert_int_equal(service.instances, 0);
	assert_int_equal(service.listen_count, 0);
	assert_int_equal(host.reload, RELOAD_SCRIPT);
	assert_int_equal(host.log_level, 6);
	assert_null(host.plugin_path);
}

/* For each attribute two values that differ. */
static const struct {
	enum attribute_scope scope;
	const char *name, *one, *two;
} pairs[] = {
    {ATTRIBUTE_SERVICE, "listen", "tcp:*:7", "tcp:*:7 udp:*:7"},
    {ATTRIBUTE_SERVICE, "backlog", "1", "65535"},
    {ATTRIBUTE_SERVICE, "v6only", "yes", "no"},
    {ATTRIBUTE_SERVICE, "keepalive", "yes", "no"},
    {ATTRIBUTE_SERVICE, "nodelay", "yes", "no"},
    {ATTRIBUTE_SERVICE, "reserved_sources", "yes", "no"},
    {ATTRIBUTE_SERVICE, "concurrency", "pool 4 queue 16", "pool 4"},
    {ATTRIBUTE_SERVICE, "instances", "unlimited", "1000000"},
    {ATTRIBUTE_SERVICE, "idle_timeout", "1ms", "8760h"},
    {ATTRIBUTE_SERVICE, "drain", "0", "24h"},
    {ATTRIBUTE_SERVICE, "ready_timeout", "1ms", "1h"},
    {ATTRIBUTE_SERVICE, "suspend", "clients", "sessions"},
    {ATTRIBUTE_SERVICE, "socket_mode", "0000", "0777"},
    {ATTRIBUTE_SERVICE, "linger", "1500ms", "1h"},
    {ATTRIBUTE_SERVICE, "input_limit", "512", "1G"},
    {ATTRIBUTE_SERVICE, "output_limit", "513", "1M"},
    {ATTRIBUTE_SERVICE, "stack", "16K", "1M"},
    {ATTRIBUTE_SERVICE, "socket_user", "root", "1000"},
    {ATTRIBUTE_SERVICE, "socket_group", "daemon", "1"},
    {ATTRIBUTE_SERVICE, "receive_buffer", "0", "64K"},
    {ATTRIBUTE_SERVICE, "send_buffer", "1", "1G"},
    {ATTRIBUTE_SERVICE, "keepalive_time", "1s", "32767s"},
    {ATTRIBUTE_SERVICE, "keepalive_interval", "0", "1m"},
    {ATTRIBUTE_SERVICE, "keepalive_probes", "1", "127"},
    {ATTRIBUTE_SERVICE, "defer_accept", "1s", "1h"},
    {ATTRIBUTE_SERVICE, "fast_open", "0", "65535"},
    {ATTRIBUTE_SERVICE, "ip_tos", "1", "255"},
    {ATTRIBUTE_SERVICE, "ip_ttl", "1", "255"},
    {ATTRIBUTE_SERVICE, "free_bind", "yes", "no"},
    {ATTRIBUTE_SERVICE, "transparent", "yes", "no"},
    {ATTRIBUTE_SERVICE, "reuse_port", "yes", "no"},
    {ATTRIBUTE_SERVICE, "bind_to_device", "lo", "eth0"},
    {ATTRIBUTE_SERVICE, "mark", "1", "2147483647"},
    {ATTRIBUTE_SERVICE, "tcpmux", "yes", "plus"},
    {ATTRIBUTE_SERVICE, "stream", "Lines", "TLS"},
    {ATTRIBUTE_SERVICE, "proxy_protocol", "v1", "any"},
    {ATTRIBUTE_SERVICE, "proxy_from", "unix", "127.0.0.1 ::1/128"},
    {ATTRIBUTE_SERVICE, "source_datagrams", "unlimited", "1"},
    {ATTRIBUTE_SERVICE, "amplification", "yes", "no"},
    {ATTRIBUTE_SERVICE, "user", "nobody", "0"},
    {ATTRIBUTE_SERVICE, "group", "nogroup", "wheel"},
    {ATTRIBUTE_SERVICE, "groups", "yes", "no"},
    {ATTRIBUTE_SERVICE, "argv0", "in.ftpd", "-sh"},
    {ATTRIBUTE_SERVICE, "wait", "yes", "no"},
    {ATTRIBUTE_SERVICE, "nice", "-20", "19"},
    {ATTRIBUTE_SERVICE, "umask", "0000", "0077"},
    {ATTRIBUTE_SERVICE, "env", "A=b B=", "A=b"},
    {ATTRIBUTE_SERVICE, "passenv", "PATH HOME", "PATH"},
    {ATTRIBUTE_SERVICE, "cwd", "/tmp", "/"},
    {ATTRIBUTE_SERVICE, "chroot", "/srv/x", "/srv"},
    {ATTRIBUTE_SERVICE, "no_new_privs", "no", "yes"},
    {ATTRIBUTE_SERVICE, "capability_bounding_set", "kill CAP_SETUID",
	"~Sys_Admin ~bpf"},
    {ATTRIBUTE_SERVICE, "ambient_capabilities", "net_bind_service", "kill"},
    {ATTRIBUTE_SERVICE, "read_only_paths", "/usr -/lib64", "/"},
    {ATTRIBUTE_SERVICE, "read_write_paths", "/tmp", "-/x"},
    {ATTRIBUTE_SERVICE, "exec_paths", "/usr", "/usr /opt"},
    {ATTRIBUTE_SERVICE, "system_call_filter", "@system-service ptrace",
	"~@mount"},
    {ATTRIBUTE_SERVICE, "system_call_error_number", "EPERM", "kill"},
    {ATTRIBUTE_SERVICE, "memory_max", "64M", "10%"},
    {ATTRIBUTE_SERVICE, "tasks_max", "512", "infinity"},
    {ATTRIBUTE_SERVICE, "cpu_quota", "20%", "12.5%"},
    {ATTRIBUTE_SERVICE, "sandbox_strict", "no", "yes"},
    {ATTRIBUTE_SERVICE, "rlimit_as", "unlimited", "64M"},
    {ATTRIBUTE_SERVICE, "rlimit_core", "inherit", "1"},
    {ATTRIBUTE_SERVICE, "rlimit_cpu", "60", "unlimited"},
    {ATTRIBUTE_SERVICE, "rlimit_data", "1K", "2K"},
    {ATTRIBUTE_SERVICE, "rlimit_files", "256", "64"},
    {ATTRIBUTE_SERVICE, "rlimit_nproc", "10", "11"},
    {ATTRIBUTE_SERVICE, "rlimit_rss", "10M", "inherit"},
    {ATTRIBUTE_SERVICE, "rlimit_stack", "8M", "unlimited"},
    {ATTRIBUTE_SERVICE, "workers", "2 8", "2"},
    {ATTRIBUTE_SERVICE, "max_requests", "unlimited", "1000"},
    {ATTRIBUTE_SERVICE, "restart_delay", "0", "1h"},
    {ATTRIBUTE_SERVICE, "restart_delay_max", "1ms", "24h"},
    {ATTRIBUTE_SERVICE, "start_limit", "5/10s", "unlimited"},
    {ATTRIBUTE_SERVICE, "start_timeout", "1ms", "1h"},
    {ATTRIBUTE_SERVICE, "stop_timeout", "1ms", "1h"},
    {ATTRIBUTE_SERVICE, "watchdog", "0", "1h"},
    {ATTRIBUTE_SERVICE, "worker_idle", "1ms", "24h"},
    {ATTRIBUTE_SERVICE, "per_source", "unlimited", "3"},
    {ATTRIBUTE_SERVICE, "cps", "50 10s", "50/1m 10s"},
    {ATTRIBUTE_SERVICE, "source_cps", "unlimited", "10/1m 0"},
    {ATTRIBUTE_SERVICE, "source_prefix", "24 56", "24"},
    {ATTRIBUTE_SERVICE, "only_users", "root 1000", "root"},
    {ATTRIBUTE_SERVICE, "only_groups", "adm", "0"},
    {ATTRIBUTE_SERVICE, "on_instances", "reject", "queue"},
    {ATTRIBUTE_SERVICE, "on_cps", "reset", "reject"},
    {ATTRIBUTE_SERVICE, "on_max_load", "queue", "reset"},
    {ATTRIBUTE_SERVICE, "on_access_times", "queue", "reject"},
    {ATTRIBUTE_SERVICE, "on_per_source", "reset", "reject"},
    {ATTRIBUTE_SERVICE, "on_source_cps", "reject", "reset"},
    {ATTRIBUTE_SERVICE, "on_access", "reset", "reject"},
    {ATTRIBUTE_SERVICE, "max_session", "1h", "0"},
    {ATTRIBUTE_SERVICE, "only_from", "10.0.0.0/8 ::1 .example.org", "10.0.0.0"},
    {ATTRIBUTE_SERVICE, "no_access", "\"10.1.{2,3}\"", "192.168.0.1"},
    {ATTRIBUTE_SERVICE, "access_times", "08:00-12:00 13:00-24:00",
	"08:00-12:00"},
    {ATTRIBUTE_SERVICE, "max_load", "2.5", "2.05"},
    {ATTRIBUTE_SERVICE, "libwrap", "in.ftpd", "ftpd"},
    {ATTRIBUTE_SERVICE, "banner", "/etc/a", "/etc/b"},
    {ATTRIBUTE_SERVICE, "banner_success", "/etc/a", "/etc/b"},
    {ATTRIBUTE_SERVICE, "banner_fail", "/etc/a", "/etc/b"},
    {ATTRIBUTE_SERVICE, "log_type", "SYSLOG daemon info",
	"FILE /var/log/x 10K"},
    {ATTRIBUTE_SERVICE, "log_on_success", "PID HOST", "EXIT"},
    {ATTRIBUTE_SERVICE, "log_on_failure", "HOST", "HOST ATTEMPT"},
    {ATTRIBUTE_SERVICE, "log_format", "logfmt", "json"},
    {ATTRIBUTE_SERVICE, "log_rate", "10", "10/1m"},
    {ATTRIBUTE_HOST, "reload", "script", "exact"},
    {ATTRIBUTE_HOST, "plugin_path", "/a:/b", "/a"},
    {ATTRIBUTE_HOST, "pid_file", "/run/x", "\"/run/x y\""},
    {ATTRIBUTE_HOST, "capabilities", "keep", "kill Setuid"},
    {ATTRIBUTE_HOST, "control", "/run/c", "/run/d"},
    {ATTRIBUTE_HOST, "syslog_socket", "/dev/log", "/run/l"},
    {ATTRIBUTE_HOST, "journal_socket", "/run/j", "/run/k"},
    {ATTRIBUTE_HOST, "hosts_access", "/usr/libexec/a", "/usr/libexec/b"},
    {ATTRIBUTE_HOST, "hosts_allow", "/etc/a", "/etc/b"},
    {ATTRIBUTE_HOST, "hosts_deny", "/etc/a", "/etc/b"},
    {ATTRIBUTE_HOST, "reactors", "3", "1"},
    {ATTRIBUTE_HOST, "watch", "yes", "no"},
    {ATTRIBUTE_HOST, "log_level", "error", "debug"},
    {ATTRIBUTE_HOST, "watchdog", "0", "1m"},
    {ATTRIBUTE_HOST, "shutdown", "90s", "2m"},
};

static const void *
values_of(const struct reading *reading, enum attribute_scope scope)
{
	const struct directive *directive = TAILQ_FIRST(
	    &reading->tree->directives);

	if (scope == ATTRIBUTE_HOST)
		return &reading->tree->host;
	assert_non_null(directive);
	return directive->settings;
}

static void
read_value(struct reading *reading, enum attribute_scope scope,
    const char *name, const char *value)
{
	AUTO_TEXT text = {0};
	struct config_input input = {
	    CONFIG_STRING, NULL, NULL, CONFIG_AUTO, NULL};

	text_printf(&text, "%s { %s = %s }",
	    scope == ATTRIBUTE_HOST ? "host" : "static a", name, value);
	input.text = text_string(&text);
	reading_init_convert(reading, &input);
	assert_string_equal(text_string(&reading->messages), "");
}

static void
test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(pairs); i++) {
		enum attribute_scope scope = pairs[i].scope;
		const struct attribute *row = attribute_find(
		    scope, pairs[i].name);
		struct reading one, two;
		AUTO_TEXT text = {0};

		assert_non_null(row);
		read_value(&one, scope, row->name, pairs[i].one);
		read_value(&two, scope, row->name, pairs[i].two);
		attribute_print(row, values_of(&one, scope), &text);
		assert_string_equal(text_string(&text), pairs[i].one);
		assert_true(attribute_equal(
		    row, values_of(&one, scope), values_of(&one, scope)));
		assert_false(attribute_equal(
		    row, values_of(&one, scope), values_of(&two, scope)));
		assert_false(tree_equal(one.tree, two.tree));
		reading_fini(&one);
		reading_fini(&two);
	}
}

/* Nobody adds an attribute without a line above. */
static void
test_pairs(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(scopes); i++) {
		const struct attribute *row = attributes(scopes[i]);

		for (; row->name != NULL; row++)
			count += row->kind != VALUE_PART ? 1 : 0;
	}
	assert_int_equal(count, BASE_COUNT(pairs));
}

/* A copy stands when the tree is gone. */
static void
test_copies(void **state)
{
	struct arena *arena = arena_new();
	struct host_settings host;
	struct settings service;
	struct reading reading;
	AUTO_TEXT text = {0};

	(void)state;
	reading_init_string(&reading,
	    "host { plugin_path = /p; pid_file = /f; control = /c } "
	    "static a { listen = tcp:*:7 unix:/run/x; backlog = 7 }");
	assert_int_equal(settings_copy(arena,
			     values_of(&reading, ATTRIBUTE_SERVICE), &service),
	    0);
	assert_int_equal(
	    host_settings_copy(arena, &reading.tree->host, &host), 0);
	reading_fini(&reading);
	assert_int_equal(service.listen_count, 2);
	assert_int_equal(service.backlog, 7);
	assert_null(service.listen[0].place.source);
	assert_string_equal(service.listen[0].port, "7");
	attribute_print(
	    attribute_find(ATTRIBUTE_SERVICE, "listen"), &service, &text);
	assert_string_equal(text_string(&text), "tcp:*:7 unix:/run/x");
	assert_string_equal(host.plugin_path, "/p");
	assert_string_equal(host.pid_file, "/f");
	assert_string_equal(host.control, "/c");
	arena_free(arena);
}

/* Who adds nothing to what `defaults` says at his place shares it. */
static void
test_sharing(void **state)
{
	const struct settings *of[5], *kept;
	const struct directive *directive;
	struct reading reading;
	size_t i = 0;

	(void)state;
	reading_init_string(&reading,
	    "static a\nstatic b { backlog = 7 }\nstatic c\n"
	    "defaults { drain = 5s }\nstatic d\nstatic e { drain = 5s }\n");
	TAILQ_FOREACH (directive, &reading.tree->directives, link)
		of[i++] = directive->settings;
	assert_int_equal(i, BASE_COUNT(of));
	assert_ptr_equal(of[0], of[2]);
	assert_int_equal(of[0]->backlog, 511);
	assert_int_equal(of[0]->drain_ms, 30000);
	assert_int_equal(of[1]->backlog, 7);
	assert_int_equal(of[3]->drain_ms, 5000);
	assert_ptr_not_equal(of[3], of[4]);
	assert_true(settings_equal(of[3], of[4]));
	assert_false(settings_equal(of[0], of[3]));
	assert_false(settings_equal(of[0], of[1]));
	assert_int_equal(settings_keep(of[1], &kept), 0);
	assert_true(settings_equal(of[1], kept));
	reading_fini(&reading);
	assert_ptr_equal(settings_ref(kept), kept);
	assert_null(settings_unref(kept));
	assert_int_equal(kept->backlog, 7);
	assert_null(settings_unref(kept));
	assert_null(settings_unref(NULL));
}

static void
test_help(void **state)
{
	AUTO_TEXT text = {0};

	(void)state;
	assert_int_equal(attributes_print_text(ATTRIBUTE_SERVICE, &text), 0);
	assert_non_null(strstr(text_string(&text),
	    "backlog = NUMBER\n\tConnections that may wait"));
	assert_non_null(strstr(text_string(&text),
	    "\n\tDefault: 511.  A change applies at once.\n"));
}

#define PAGE TESTS_FOLDER "/../man/svc.conf.5"

static void
read_page(struct text *text)
{
	AUTO_FD fd = open(PAGE, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, 1u << 20, text), 0);
}

static void
write_page(const struct text *text)
{
	AUTO_FD fd = open(PAGE, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(
	    write(fd, text_string(text), text->size), (ssize_t)text->size);
}

/* A list of the page, which is between two comments. */
static void
check_section(struct text *page, const char *name, enum attribute_scope scope)
{
	AUTO_TEXT wanted = {0};
	char begin[64], end[64];
	const char *data = text_string(page), *from, *to;

	snprintf(begin, sizeof(begin), ".\\\" begin %s\n", name);
	snprintf(end, sizeof(end), ".\\\" end %s\n", name);
	from = strstr(data, begin);
	assert_non_null(from);
	from += strlen(begin);
	to = strstr(from, end);
	assert_non_null(to);
	text_add(&wanted, data, (size_t)(from - data));
	assert_int_equal(attributes_print_mdoc(scope, &wanted), 0);
	text_add(&wanted, to, page->size - (size_t)(to - data));
	if (getenv("CONFIG_UPDATE") != NULL) {
		write_page(&wanted);
		text_reset(page);
		text_add(page, text_string(&wanted), wanted.size);
		return;
	}
	assert_string_equal(data, text_string(&wanted));
}

static void
test_manual(void **state)
{
	AUTO_TEXT page = {0};

	(void)state;
	read_page(&page);
	check_section(&page, "service attributes", ATTRIBUTE_SERVICE);
	check_section(&page, "host attributes", ATTRIBUTE_HOST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_pairs),
	    cmocka_unit_test(test_copies),
	    cmocka_unit_test(test_sharing),
	    cmocka_unit_test(test_help),
	    cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
