# A CFA below the frame pointer.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rbp-32, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_def_cfa rbp, -32
	ret
	.cfi_endproc
	.size f, .-f
