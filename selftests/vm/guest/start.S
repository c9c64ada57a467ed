/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the CPU's reset to tiny_main() in protected mode, without paging. The image is a
 * ROM that ends at 4 GiB; its last 128 KiB are also visible below 1 MiB.
 */
	.section .text.start, "ax"
	.global	start32
	.code32
start32:
	movw	$0x10, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$stack_top, %esp
	/* One gate: the timer, vector 0x20. The table is in RAM; the rest of it is 0. */
	movl	$timer, %eax
	movl	%eax, %edx
	andl	$0xffff, %eax
	orl	$0x00080000, %eax
	movl	%eax, idt + 0x20 * 8
	andl	$0xffff0000, %edx
	orl	$0x8e00, %edx
	movl	%edx, idt + 0x20 * 8 + 4
	lidt	idt_pointer
	call	tiny_main

timer:
	pushl	%eax
	movb	$0x20, %al
	outb	%al, $0x20
	popl	%eax
	iret

idt_pointer:
	.word	0x21 * 8 - 1
	.long	idt

	.bss
	.align	16
idt:
	.skip	0x21 * 8
	.align	16
	.skip	4096
stack_top:

	/* The last 256 bytes; a reset starts at 0xf0, with CS pointing to 0xffff0000 */
	.section .reset, "ax"
	.code16
reset:
	cli
	cld
	lgdtl	%cs:(0xff00 + gdt_pointer - reset)
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$8, $start32

	.align	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff		/* code, 4 GiB */
	.quad	0x00cf93000000ffff		/* data, 4 GiB */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt

	.org	0xf0
	jmp	reset
	.org	0x100

	.section .note.GNU-stack, "", @progbits
