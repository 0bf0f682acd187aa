# All three groups of a flexible row.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+16, RA = rcx+0, FP = *(CFA-16)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	push %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	.cfi_register rip, rcx
	ret
	.cfi_endproc
	.size f, .-f
