# The outermost function.
#= 0: RA undefined
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	.cfi_undefined rip
	hlt
	.cfi_endproc
	.size f, .-f
