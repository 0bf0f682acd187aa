# A function of 256 bytes: row starts of two bytes.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+16, RA = *(CFA-8)
#= 255: CFA = rsp+8, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	push %rax
	.cfi_def_cfa_offset 16
	.skip 254, 0x90
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
	.size f, .-f
