# An FDE without rows.
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc simple
	nop
	.cfi_endproc
	.size f, .-f
