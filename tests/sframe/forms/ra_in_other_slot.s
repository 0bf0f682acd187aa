# The return address in another stack slot.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+16, RA = *(CFA-16)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	push %rax
	.cfi_def_cfa_offset 16
	.cfi_offset rip, -16
	ret
	.cfi_endproc
	.size f, .-f
