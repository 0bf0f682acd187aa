# The frame pointer where rbp points.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+8, RA = *(CFA-8), FP = *(rbp-24)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_escape 0x10,6,2,0x76,0x68
	ret
	.cfi_endproc
	.size f, .-f
