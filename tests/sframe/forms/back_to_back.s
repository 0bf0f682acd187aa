# Functions without a gap, one of a single byte.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+16, RA = *(CFA-8)
#= 0: CFA = rsp+8, RA = *(CFA-8)
	.text
	.globl a
	.type a, @function
a:	.cfi_startproc
	ret
	.cfi_endproc
	.size a, .-a
	.text
	.globl b
	.type b, @function
b:	.cfi_startproc
	push %rax
	.cfi_def_cfa_offset 16
	pop %rax
	.cfi_endproc
	.size b, .-b
	.text
	.globl c
	.type c, @function
c:	.cfi_startproc
	ret
	.cfi_endproc
	.size c, .-c
