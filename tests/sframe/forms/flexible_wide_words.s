# Offsets and control words that need two and four bytes in flexible rows.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rbx+200, RA = *(CFA-8)
#= 2: CFA = r15-200, RA = *(CFA-8)
#= 3: CFA = xmm15+8, RA = *(CFA-8)
#= 4: CFA = rbx+100000, RA = *(CFA-8)
#= 5: CFA = rbx+8, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_def_cfa rbx, 200
	nop
	.cfi_def_cfa r15, -200
	nop
	.cfi_def_cfa 32, 8
	nop
	.cfi_def_cfa rbx, 100000
	nop
	.cfi_def_cfa rbx, 8
	ret
	.cfi_endproc
	.size f, .-f
