# Functions in several sections: the index of the object is in source order.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+16, RA = *(CFA-8)
#= 0: CFA = rsp+8, RA = *(CFA-8)
	.section .text.late, "ax"
	.globl late
	.type late, @function
late:	.cfi_startproc
	ret
	.cfi_endproc
	.size late, .-late
	.text
	.globl plain
	.type plain, @function
plain:	.cfi_startproc
	push %rax
	.cfi_def_cfa_offset 16
	ret
	.cfi_endproc
	.size plain, .-plain
	.section .text.early, "ax"
	.globl early
	.type early, @function
early:	.cfi_startproc
	ret
	.cfi_endproc
	.size early, .-early
