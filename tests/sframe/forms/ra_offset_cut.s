# as 2.47 cuts a flexible stack offset of the return address to the word size of the rest.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+8, RA = *(CFA+56)
#= 2: CFA = rsp+200, RA = *(CFA-200)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_offset rip, -200
	nop
	.cfi_def_cfa_offset 200
	ret
	.cfi_endproc
	.size f, .-f
