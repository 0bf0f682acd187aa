# A signal frame with flexible rows.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rbx+16, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	.cfi_signal_frame
	nop
	.cfi_def_cfa rbx, 16
	nop
	.cfi_endproc
	.size f, .-f
