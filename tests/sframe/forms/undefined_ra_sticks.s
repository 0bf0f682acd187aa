# as 2.47 has no way back from an undefined return address.
#= 0: RA undefined
#= 1: RA undefined
#= 3: RA undefined
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	.cfi_undefined rip
	nop
	.cfi_offset rip, -8
	nop
	.cfi_restore rip
	nop
	.cfi_same_value rip
	ret
	.cfi_endproc
	.size f, .-f
