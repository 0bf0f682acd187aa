# Row forms that V1 and V2 have too: frame pointer, big frame, wide starts, no CFI.
	.text
	.globl _start
f1:	.cfi_startproc
	push %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	mov %rsp,%rbp
	.cfi_def_cfa_register rbp
	nop
	pop %rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
_start:	.cfi_startproc
	nop
	call f1@PLT
	ret
	.cfi_endproc
f3:	.cfi_startproc
	nop
	.cfi_def_cfa_offset 20000
	nop
	.fill 300
	.cfi_def_cfa_offset 200000
	ret
	.cfi_endproc
f4:	.cfi_startproc simple
	nop
	.cfi_endproc
f5:	.cfi_startproc
	.cfi_undefined rip
	ret
	.cfi_endproc
