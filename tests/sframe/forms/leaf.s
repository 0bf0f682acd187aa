# A function without CFI of its own: one row.
#= 0: CFA = rsp+8, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	ret
	.cfi_endproc
	.size f, .-f
