/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: the words of the module.
 *
 *	-c FILE [-k FILE] ... [-n NAME:CERTIFICATE[:KEY]] ...
 *	[-a FILE [-r FILE]] [-v none|optional|required] [-m VERSION]
 *	[-M VERSION] [-i CIPHERS] [-I SUITES] [-p PROTOCOL,...] [-t TIME]
 *	[-C HOST]
 *
 * What is wrong is told with the option's letter.  No file is opened here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define HANDSHAKE_MS 10000
#define TIME_MOST_MS 3600000.0

struct taking {
	struct tls_options *options;
	struct tls_report *report;
	char *spare; /* where the next words are cut */
};

static struct tls_pair *
add_pair(struct tls_options *options)
{
	return &options->pairs[options->pair_count++];
}

static int
take_certificate(struct taking *taking, const char *value)
{
	struct tls_pair *pair = add_pair(taking->options);

	pair->certificate = value;
	pair->key = value;
	return 0;
}

static int
take_key(struct taking *taking, const char *value)
{
	struct tls_options *options = taking->options;
	struct tls_pair *last = options->pairs + options->pair_count - 1;

	if (options->pair_count == 0 || last->name != NULL ||
	    last->key != last->certificate)
		return tls_wrong(taking->report, EINVAL,
		    "-k %s: a key comes behind the -c of its certificate",
		    value);
	last->key = value;
	return 0;
}

static int
take_name(struct taking *taking, const char *value)
{
	struct tls_pair *pair;
	char *name = taking->spare, *certificate, *key;

	taking->spare = stpcpy(name, value) + 1;
	certificate = strchr(name, ':');
	if (certificate == NULL || certificate == name ||
	    certificate[1] == '\0')
		return tls_wrong(taking->report, EINVAL,
		    "-n %s: should be NAME:CERTIFICATE[:KEY]", value);
	*certificate++ = '\0';
	key = strchr(certificate, ':');
	if (key != NULL)
		*key++ = '\0';
	if (strchr(name + (strncmp(name, "*.", 2) == 0), '*') != NULL)
		return tls_wrong(taking->report, EINVAL,
		    "-n %s: a star stands for the first label: *.example.org",
		    value);
	pair = add_pair(taking->options);
	pair->name = name;
	pair->certificate = certificate;
	pair->key = key != NULL && *key != '\0' ? key : certificate;
	return 0;
}

static int
take_ca(struct taking *taking, const char *value)
{
	taking->options->ca = value;
	return 0;
}

static int
take_crl(struct taking *taking, const char *value)
{
	taking->options->crl = value;
	return 0;
}

static int
take_verify(struct taking *taking, const char *value)
{
	static const char *const words[] = {[TLS_VERIFY_NONE] = "none",
	    [TLS_VERIFY_OPTIONAL] = "optional",
	    [TLS_VERIFY_REQUIRED] = "required"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(value, words[i]) != 0)
			continue;
		taking->options->verify = (enum tls_verify)i;
		taking->options->verify_named = true;
		return 0;
	}
	return tls_wrong(taking->report, EINVAL,
	    "-v %s: should be none, optional or required", value);
}

static int
version_of(struct taking *taking, char letter, const char *value, int *ret)
{
	static const struct {
		const char *word;
		int version;
	} versions[] = {{"1.0", TLS1_VERSION}, {"1.1", TLS1_1_VERSION},
	    {"1.2", TLS1_2_VERSION}, {"1.3", TLS1_3_VERSION}};

	for (unsigned i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (strcmp(value, versions[i].word) != 0)
			continue;
		*ret = versions[i].version;
		return 0;
	}
	return tls_wrong(taking->report, EINVAL,
	    "-%c %s: should be a version of TLS, 1.2 or 1.3", letter, value);
}

static int
take_least(struct taking *taking, const char *value)
{
	return version_of(taking, 'm', value, &taking->options->least);
}

static int
take_most(struct taking *taking, const char *value)
{
	return version_of(taking, 'M', value, &taking->options->most);
}

static int
take_ciphers(struct taking *taking, const char *value)
{
	taking->options->ciphers = value;
	return 0;
}

static int
take_suites(struct taking *taking, const char *value)
{
	taking->options->suites = value;
	return 0;
}

static int
take_alpn(struct taking *taking, const char *value)
{
	struct tls_options *options = taking->options;
	const char *at = value;

	for (;;) {
		size_t size = strcspn(at, ",");

		if (size == 0 || size > 255 ||
		    options->alpn_size + size + 1 > sizeof(options->alpn))
			return tls_wrong(taking->report, EINVAL,
			    "-p %s: should be names of protocols with commas "
			    "between, of 255 bytes at most",
			    value);
		options->alpn[options->alpn_size++] = (unsigned char)size;
		memcpy(options->alpn + options->alpn_size, at, size);
		options->alpn_size += size;
		if (at[size] == '\0')
			return 0;
		at += size + 1;
	}
}

static int
take_time(struct taking *taking, const char *value)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}};
	char *end;
	double number = strtod(value, &end);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == value || strcmp(end, units[i].unit) != 0)
			continue;
		number *= units[i].ms;
		if (!(number >= 1 && number <= TIME_MOST_MS))
			break;
		taking->options->handshake_ms = (uint32_t)number;
		return 0;
	}
	return tls_wrong(taking->report, EINVAL,
	    "-t %s: should be a time, from 1ms to 60m", value);
}

static int
take_host(struct taking *taking, const char *value)
{
	taking->options->host = value;
	return 0;
}

static const struct {
	char letter;
	int (*take)(struct taking *, const char *value);
} rows[] = {
    {'c', take_certificate},
    {'k', take_key},
    {'n', take_name},
    {'a', take_ca},
    {'r', take_crl},
    {'v', take_verify},
    {'m', take_least},
    {'M', take_most},
    {'i', take_ciphers},
    {'I', take_suites},
    {'p', take_alpn},
    {'t', take_time},
    {'C', take_host},
};

static int
take(struct taking *taking, char letter, const char *value)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].letter != letter)
			continue;
		if (*value == '\0')
			return tls_wrong(taking->report, EINVAL,
			    "option -%c needs a value", letter);
		return rows[i].take(taking, value);
	}
	return tls_wrong(
	    taking->report, EINVAL, "there is no option -%c", letter);
}

static bool
has_default(const struct tls_options *options)
{
	for (unsigned i = 0; i < options->pair_count; i++)
		if (options->pairs[i].name == NULL)
			return true;
	return false;
}

/* What the options say together. */
static int
judge(struct tls_options *options, struct tls_report *report)
{
	bool verifies;

	if (!options->verify_named &&
	    (options->host != NULL || options->ca != NULL))
		options->verify = TLS_VERIFY_REQUIRED;
	verifies = options->verify != TLS_VERIFY_NONE;
	if (options->host == NULL && !has_default(options))
		return tls_wrong(report, EINVAL,
		    "a server needs a certificate: -c FILE -k FILE");
	if (options->host == NULL && verifies && options->ca == NULL)
		return tls_wrong(report, EINVAL,
		    "-v: by whose certificates are clients known? -a FILE");
	if (options->crl != NULL && options->ca == NULL)
		return tls_wrong(report, EINVAL, "-r needs -a");
	if (options->most != 0 && options->most < options->least)
		return tls_wrong(report, EINVAL,
		    "-M is an older version than the least one, of -m");
	return 0;
}

/* The words of -n are cut; argv stays as it is. */
static int
make_room(struct tls_options *options, int argc, char **argv)
{
	size_t size = 1;

	for (int i = 1; i < argc; i++)
		size += strlen(argv[i]) + 1;
	options->words = malloc(size);
	options->pairs = calloc((size_t)argc + 1, sizeof(*options->pairs));
	return options->words == NULL || options->pairs == NULL ? -ENOMEM : 0;
}

static int
take_all(struct taking *taking, int argc, char **argv)
{
	int result = 0;

	for (int at = 1; result == 0 && at < argc; at++) {
		const char *value = argv[at] + 2;
		char letter = argv[at][1];

		if (argv[at][0] != '-' || letter == '\0')
			return tls_wrong(taking->report, EINVAL,
			    "unexpected argument '%s'", argv[at]);
		if (*value == '\0' && at + 1 < argc)
			value = argv[++at];
		result = take(taking, letter, value);
	}
	return result;
}

void
tls_options_fini(struct tls_options *options)
{
	free(options->pairs);
	free(options->words);
	memset(options, 0, sizeof(*options));
}

int
tls_options_read(struct tls_options *options, int argc, char **argv,
    struct tls_report *report)
{
	struct taking taking = {.options = options, .report = report};
	int result;

	memset(options, 0, sizeof(*options));
	options->least = TLS1_2_VERSION;
	options->handshake_ms = HANDSHAKE_MS;
	result = make_room(options, argc, argv);
	taking.spare = options->words;
	if (result != 0)
		tls_wrong(report, ENOMEM, "no memory");
	else
		result = take_all(&taking, argc, argv);
	if (result == 0)
		result = judge(options, report);
	if (result != 0)
		tls_options_fini(options);
	return result;
}
