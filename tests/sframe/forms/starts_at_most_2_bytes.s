# A function of 65535 bytes: the largest with row starts of two bytes.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 65534: CFA = rsp+0, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	.skip 65534, 0x90
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
	.size f, .-f
