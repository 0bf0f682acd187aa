# Bookkeeping that says nothing about CFA, RA or FP: a row all the same.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)
#= 4: CFA = rbp+16, RA = *(CFA-8), FP = *(CFA-16)
#= 5: CFA = rbp+16, RA = *(CFA-8), FP = *(CFA-16)
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
	.cfi_escape 0x2e, 0x10
	nop
	.cfi_endproc
	.size f, .-f
