# Directives about registers that SFrame does not track.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 2: CFA = rsp+16, RA = *(CFA-8)
#= 3: CFA = rsp+16, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	push %r12
	.cfi_def_cfa_offset 16
	.cfi_offset rbx, -16
	nop
	.cfi_undefined rax
	.cfi_same_value r12
	.cfi_escape 0x10,12,2,0x77,8
	.cfi_escape 0x14,12,2
	.cfi_val_offset r12, 16
	ret
	.cfi_endproc
	.size f, .-f
