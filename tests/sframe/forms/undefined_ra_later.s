# Undefined from the second instruction on.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: RA undefined
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_undefined rip
	hlt
	.cfi_endproc
	.size f, .-f
