# Pushes by adjustment.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 2: CFA = rsp+16, RA = *(CFA-8)
#= 4: CFA = rsp+24, RA = *(CFA-8)
#= 6: CFA = rsp+16, RA = *(CFA-8)
#= 8: CFA = rsp+8, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	push %r12
	.cfi_adjust_cfa_offset 8
	push %r13
	.cfi_adjust_cfa_offset 8
	pop %r13
	.cfi_adjust_cfa_offset -8
	pop %r12
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size f, .-f
