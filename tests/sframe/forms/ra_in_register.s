# The return address in a register, then on the stack again.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+0, RA = rcx+0
#= 2: CFA = rsp+8, RA = *(CFA-8)
#= 3: CFA = rsp+8, RA = rbx+0
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	pop %rcx
	.cfi_def_cfa_offset 0
	.cfi_register rip, rcx
	push %rcx
	.cfi_def_cfa_offset 8
	.cfi_offset rip, -8
	nop
	.cfi_register rip, rbx
	ret
	.cfi_endproc
	.size f, .-f
