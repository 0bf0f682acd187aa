# Push, set and pop the frame pointer.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)
#= 4: CFA = rbp+16, RA = *(CFA-8), FP = *(CFA-16)
#= 6: CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-16)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	push %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	mov %rsp, %rbp
	.cfi_def_cfa_register rbp
	nop
	pop %rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.size f, .-f
