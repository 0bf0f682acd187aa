# CFA offsets at both ends of each word size.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+127, RA = *(CFA-8)
#= 2: CFA = rsp+128, RA = *(CFA-8)
#= 3: CFA = rsp-128, RA = *(CFA-8)
#= 4: CFA = rsp-129, RA = *(CFA-8)
#= 5: CFA = rsp+32767, RA = *(CFA-8)
#= 6: CFA = rsp+32768, RA = *(CFA-8)
#= 7: CFA = rsp-32768, RA = *(CFA-8)
#= 8: CFA = rsp-32769, RA = *(CFA-8)
#= 9: CFA = rsp+2147483647, RA = *(CFA-8)
#= 10: CFA = rsp-2147483648, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_def_cfa_offset 127
	nop
	.cfi_def_cfa_offset 128
	nop
	.cfi_def_cfa_offset -128
	nop
	.cfi_def_cfa_offset -129
	nop
	.cfi_def_cfa_offset 32767
	nop
	.cfi_def_cfa_offset 32768
	nop
	.cfi_def_cfa_offset -32768
	nop
	.cfi_def_cfa_offset -32769
	nop
	.cfi_def_cfa_offset 2147483647
	nop
	.cfi_def_cfa_offset -2147483648
	ret
	.cfi_endproc
	.size f, .-f
