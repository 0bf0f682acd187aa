# The caller's frame pointer in another register.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+8, RA = *(CFA-8), FP = rbx+0
#= 4: CFA = rsp+8, RA = *(CFA-8), FP = r12+0
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_register rbp, rbx
	.byte 0x0f, 0x1f, 0x00
	.cfi_register rbp, r12
	ret
	.cfi_endproc
	.size f, .-f
