/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coroutine_switch(void **save, void *load): what the System V ABI makes a
 * callee keep goes to the stack, its pointer to *save, and the other stack's
 * comes back.  coroutine_prepare() in coroutine.c lays out the same for a stack
 * that never ran.
 *
 * Without a note of shadow stacks, which the switch does not move: the linker
 * then turns them off for the program.
 */
#ifdef __x86_64__

	.text
	.p2align 4
	.globl	coroutine_switch
	.hidden	coroutine_switch
	.type	coroutine_switch, @function
coroutine_switch:
	.cfi_startproc
	endbr64
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r14, 0
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r15, 0
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	ldmxcsr	(%rsp)
	fldcw	4(%rsp)
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	popq	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore r15
	popq	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore r14
	popq	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore r13
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	ret
	.cfi_endproc
	.size	coroutine_switch, . - coroutine_switch

/* Where a stack begins: rbx is the argument, r12 the function, which does not
 * return.  A backtrace ends here. */
	.p2align 4
	.globl	coroutine_entry
	.hidden	coroutine_entry
	.type	coroutine_entry, @function
coroutine_entry:
	.cfi_startproc
	.cfi_undefined rip
	endbr64
	movq	%rbx, %rdi
	xorl	%ebp, %ebp
	call	*%r12
	ud2
	.cfi_endproc
	.size	coroutine_entry, . - coroutine_entry

#endif
	.section .note.GNU-stack, "", %progbits
