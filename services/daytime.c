/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daytime (RFC 867): one line with the date and time, then the end.  What a
 * client sends is never read; a datagram of any content is answered by one
 * line.
 *
 * The line is that of ctime(3) in English whatever the locale, with CR LF:
 * "Sat Nov 21 21:43:14 2026".  -u gives UTC instead of local time.  -f gives
 * another form, as for strftime(3).  A datagram's answer has the same length
 * whatever was sent: 26 bytes in the usual form, which with the headers is
 * less than twice the smallest request; with -f never more than LINE_BYTES.
 */
#include "services_priv.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define LINE_BYTES 128 /* with CR LF and NUL */

struct daytime {
	const char *format; /* NULL: that of ctime(3) */
	bool utc;
};

static int
usual_form(const struct tm *tm, char *line, size_t size)
{
	static const char days[7][4] = {
	    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	return snprintf(line, size, "%s %s %2d %02d:%02d:%02d %d",
	    days[tm->tm_wday], months[tm->tm_mon], tm->tm_mday, tm->tm_hour,
	    tm->tm_min, tm->tm_sec, tm->tm_year + 1900);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static int
given_form(const char *format, const struct tm *tm, char *line, size_t size)
{
	/* The format is the administrator's, from svc.conf. */
	return (int)strftime(line, size, format, tm);
}
#pragma GCC diagnostic pop

/* The length of the line with CR LF, or 0 when it does not fit. */
static size_t
make_line(const struct daytime *daytime, time_t now, char line[LINE_BYTES])
{
	struct tm tm;
	int size;

	if ((daytime->utc ? gmtime_r(&now, &tm) : localtime_r(&now, &tm)) ==
	    NULL)
		return 0;
	if (daytime->format == NULL)
		size = usual_form(&tm, line, LINE_BYTES - 2);
	else
		size = given_form(daytime->format, &tm, line, LINE_BYTES - 2);
	if (size <= 0 || size >= LINE_BYTES - 2)
		return 0;
	line[size] = '\r';
	line[size + 1] = '\n';
	return (size_t)size + 2;
}

static int
daytime_init(struct berth_service *service, int argc, char **argv)
{
	struct daytime *daytime = service->state;
	struct service_options options;
	char line[LINE_BYTES];
	int letter;

	service_options_init(&options, argc, argv, "f:u");
	while ((letter = service_options_next(&options, service)) > 0) {
		if (letter == 'f')
			daytime->format = options.value;
		else
			daytime->utc = true;
	}
	if (letter < 0)
		return letter;
	if (make_line(daytime, time(NULL), line) == 0)
		return berth_fail(service, EINVAL,
		    "format '%s' gives nothing, or more than %d bytes",
		    daytime->format, LINE_BYTES - 3);
	return 0;
}

static int
send_line(struct berth_session *session)
{
	char line[LINE_BYTES];
	size_t size = make_line(session->service->state, time(NULL), line);

	return berth_write(session, berth_bytes(line, size));
}

static int
daytime_open(struct berth_session *session)
{
	int result = send_line(session);

	if (result < 0)
		return result;
	berth_close(session);
	return 0;
}

static int
daytime_datagram(struct berth_session *session, struct berth_bytes in)
{
	(void)in;
	return send_line(session);
}

BERTH_SERVICE(make_daytime, .summary = "daytime (RFC 867)",
    .flags = BERTH_CONCURRENT, .state_size = sizeof(struct daytime),
    .init = daytime_init,
    .session = {.open = daytime_open, .datagram = daytime_datagram});
