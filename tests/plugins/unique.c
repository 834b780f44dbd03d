/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: holds a symbol that the loader keeps for ever, as inline variables and
 * function statics of C++ are.  It is looked up when the object is loaded, and
 * that nails the object down. */
#include <berth/berth.h>

extern int berth_test_unique;
__asm__(".section .data.berth_test_unique,\"aw\"\n"
	".globl berth_test_unique\n"
	".type berth_test_unique, %gnu_unique_object\n"
	".size berth_test_unique, 4\n"
	".balign 4\n"
	"berth_test_unique: .4byte 0\n"
	".previous\n");

static void
sin_info(struct berth_service *service, struct berth_text *text)
{
	(void)service;
	(void)berth_text_printf(text, "call %d", ++berth_test_unique);
}

BERTH_SERVICE(make_sin, .info = sin_info);
