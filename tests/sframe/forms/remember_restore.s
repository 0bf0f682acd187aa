# State saved and brought back.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)
#= 2: CFA = rsp+8, RA = *(CFA-8)
#= 3: CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	push %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	.cfi_remember_state
	pop %rbp
	.cfi_def_cfa_offset 8
	.cfi_restore rbp
	ret
	.cfi_restore_state
	nop
	.cfi_endproc
	.size f, .-f
