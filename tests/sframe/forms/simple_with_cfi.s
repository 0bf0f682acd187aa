# Without the usual initial CFI.
#= 0: CFA = rsp+32, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc simple
	.cfi_def_cfa rsp, 32
	nop
	.cfi_endproc
	.size f, .-f
