/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report: what went wrong, in words: ours, and behind them OpenSSL's.
 */
#include <errno.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"

int
tls_wrong(struct tls_report *report, int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(report->why, sizeof(report->why), format, ap);
	va_end(ap);
	return -code;
}

void
tls_warn(struct tls_report *report, const char *format, ...)
{
	char text[TLS_WHY_MOST];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (report->warn != NULL)
		report->warn(report->arg, text);
}

int
tls_openssl_words(char *words, size_t size)
{
	const char *data = "";
	int flags = 0;
	unsigned long code = ERR_peek_error_all(
	    NULL, NULL, NULL, &data, &flags);
	const char *reason = ERR_reason_error_string(code);

	if (code == 0)
		snprintf(words, size, "no reason known");
	else if (ERR_SYSTEM_ERROR(code))
		snprintf(words, size, "%s", strerror(ERR_GET_REASON(code)));
	else
		snprintf(words, size, "%s%s%s",
		    reason != NULL ? reason : "unknown error",
		    (flags & ERR_TXT_STRING) != 0 && *data != '\0' ? ", " : "",
		    (flags & ERR_TXT_STRING) != 0 ? data : "");
	ERR_clear_error();
	return ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ? ENOMEM : EPROTO;
}

int
tls_wrong_openssl(struct tls_report *report, const char *format, ...)
{
	va_list ap;
	size_t size;

	va_start(ap, format);
	vsnprintf(report->why, sizeof(report->why), format, ap);
	va_end(ap);
	size = strlen(report->why);
	if (size + 2 < sizeof(report->why)) {
		memcpy(report->why + size, ": ", 3);
		size += 2;
	}
	if (tls_openssl_words(report->why + size, sizeof(report->why) - size) ==
	    ENOMEM)
		return -ENOMEM;
	return -EINVAL;
}
