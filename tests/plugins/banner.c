/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Greets each client with BANNER, then echoes.  Built twice, with two banners:
 * which code runs is seen by who connects.
 */
#define BERTH_PLUGIN_VERSION BANNER
#include <berth/berth.h>

/* Counts in the image, to see whether two services share one. */
static int infos;

static void
banner_info(struct berth_service *service, struct berth_text *text)
{
	(void)service;
	(void)berth_text_printf(text, "%s %d", BANNER, ++infos);
}

static int
banner_open(struct berth_session *session)
{
	int r = berth_printf(session, "%s\n", BANNER);

	return r < 0 ? r : 0;
}

static int
banner_input(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

BERTH_SERVICE(make_banner, .summary = "greets with " BANNER,
    .flags = BERTH_CONCURRENT, .info = banner_info,
    .session = {.open = banner_open, .input = banner_input});
