# A function as drops stands between two that it keeps.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 0: CFA = rsp+8, RA = *(CFA-8)
	.text
	.globl a
	.type a, @function
a:	.cfi_startproc
	ret
	.cfi_endproc
	.size a, .-a
	.text
	.globl dropped
	.type dropped, @function
dropped:	.cfi_startproc
	.cfi_val_offset rbp, -16
	ret
	.cfi_endproc
	.size dropped, .-dropped
	.text
	.globl b
	.type b, @function
b:	.cfi_startproc
	ret
	.cfi_endproc
	.size b, .-b
