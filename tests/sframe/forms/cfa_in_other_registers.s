# Every general register as CFA base.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rax+0, RA = *(CFA-8)
#= 2: CFA = rdx+8, RA = *(CFA-8)
#= 3: CFA = rcx+16, RA = *(CFA-8)
#= 4: CFA = rbx+24, RA = *(CFA-8)
#= 5: CFA = rsi+32, RA = *(CFA-8)
#= 6: CFA = rdi+40, RA = *(CFA-8)
#= 7: CFA = rbp+48, RA = *(CFA-8)
#= 8: CFA = rsp+56, RA = *(CFA-8)
#= 9: CFA = r8+64, RA = *(CFA-8)
#= 10: CFA = r9+72, RA = *(CFA-8)
#= 11: CFA = r10+80, RA = *(CFA-8)
#= 12: CFA = r11+88, RA = *(CFA-8)
#= 13: CFA = r12+96, RA = *(CFA-8)
#= 14: CFA = r13+104, RA = *(CFA-8)
#= 15: CFA = r14+112, RA = *(CFA-8)
#= 16: CFA = r15+120, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_def_cfa rax, 0
	nop
	.cfi_def_cfa rdx, 8
	nop
	.cfi_def_cfa rcx, 16
	nop
	.cfi_def_cfa rbx, 24
	nop
	.cfi_def_cfa rsi, 32
	nop
	.cfi_def_cfa rdi, 40
	nop
	.cfi_def_cfa rbp, 48
	nop
	.cfi_def_cfa rsp, 56
	nop
	.cfi_def_cfa r8, 64
	nop
	.cfi_def_cfa r9, 72
	nop
	.cfi_def_cfa r10, 80
	nop
	.cfi_def_cfa r11, 88
	nop
	.cfi_def_cfa r12, 96
	nop
	.cfi_def_cfa r13, 104
	nop
	.cfi_def_cfa r14, 112
	nop
	.cfi_def_cfa r15, 120
	ret
	.cfi_endproc
	.size f, .-f
