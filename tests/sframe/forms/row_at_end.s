# CFI after the last instruction: a row that starts at the function's end.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+16, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	push %rax
	.cfi_def_cfa_offset 16
	.cfi_endproc
	.size f, .-f
