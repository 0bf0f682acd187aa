# FP offsets at both ends of each word size.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-16)
#= 2: CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-128)
#= 3: CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-136)
#= 4: CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-32768)
#= 5: CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-32776)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_offset rbp, -16
	nop
	.cfi_offset rbp, -128
	nop
	.cfi_offset rbp, -136
	nop
	.cfi_offset rbp, -32768
	nop
	.cfi_offset rbp, -32776
	ret
	.cfi_endproc
	.size f, .-f
