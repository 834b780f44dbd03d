/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coroutine_switch(void **save, void *load): what the AAPCS64 makes a callee
 * keep goes to the stack, its pointer to *save, and the other stack's comes
 * back.  coroutine_prepare() in coroutine.c lays out the same for a stack that
 * never ran.
 */
#ifdef __aarch64__

	.text
	.p2align 4
	.globl	coroutine_switch
	.hidden	coroutine_switch
	.type	coroutine_switch, %function
coroutine_switch:
	.cfi_startproc
	hint	#34			/* bti c */
	sub	sp, sp, #176
	.cfi_adjust_cfa_offset 176
	stp	x19, x20, [sp, #0]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	.cfi_rel_offset x29, 80
	.cfi_rel_offset x30, 88
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mrs	x9, fpcr
	str	x9, [sp, #160]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldr	x9, [sp, #160]
	msr	fpcr, x9
	ldp	x19, x20, [sp, #0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	add	sp, sp, #176
	.cfi_adjust_cfa_offset -176
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size	coroutine_switch, . - coroutine_switch

/* Where a stack begins: x19 is the argument, x20 the function, which does not
 * return.  A backtrace ends here. */
	.p2align 4
	.globl	coroutine_entry
	.hidden	coroutine_entry
	.type	coroutine_entry, %function
coroutine_entry:
	.cfi_startproc
	.cfi_undefined x30
	hint	#34
	mov	x0, x19
	mov	x29, xzr
	blr	x20
	brk	#1
	.cfi_endproc
	.size	coroutine_entry, . - coroutine_entry

#endif
	.section .note.GNU-stack, "", %progbits
