# A slot at the CFA itself.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+8, RA = *(CFA-8), FP = *(CFA+0)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_offset rbp, 0
	ret
	.cfi_endproc
	.size f, .-f
