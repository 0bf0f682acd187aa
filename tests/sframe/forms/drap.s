# Stack realignment as gcc does it: CFA in r10, then dereferenced from the frame.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = r10+0, RA = *(CFA-8)
#= 2: CFA = r10+0, RA = *(CFA-8), FP = *(rbp+0)
#= 3: CFA = *(rbp-8), RA = *(CFA-8), FP = *(rbp+0)
#= 4: CFA = rsp+8, RA = *(CFA-8), FP = *(rbp+0)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_def_cfa r10, 0
	nop
	.cfi_escape 0x10,6,2,0x76,0
	nop
	.cfi_escape 0x0f,3,0x76,0x78,6
	nop
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.size f, .-f
