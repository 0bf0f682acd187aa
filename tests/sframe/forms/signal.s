# A signal frame whose rules can be expressed.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+160, RA = *(CFA-8), FP = *(CFA-40)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	.cfi_signal_frame
	nop
	.cfi_def_cfa_offset 160
	.cfi_offset rbp, -40
	nop
	.cfi_endproc
	.size f, .-f
