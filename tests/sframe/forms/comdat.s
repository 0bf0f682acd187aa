# Functions in a group section.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 0: CFA = rsp+8, RA = *(CFA-8)
	.section .text.inline_, "axG", @progbits, inline_, comdat
	.weak inline_
inline_:	.cfi_startproc
	ret
	.cfi_endproc
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	ret
	.cfi_endproc
	.size f, .-f
