# Saved, declared unchanged, saved again, restored.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-16)
#= 2: CFA = rsp+8, RA = *(CFA-8)
#= 3: CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-24)
#= 4: CFA = rsp+8, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_offset rbp, -16
	nop
	.cfi_same_value rbp
	nop
	.cfi_offset rbp, -24
	nop
	.cfi_restore rbp
	ret
	.cfi_endproc
	.size f, .-f
