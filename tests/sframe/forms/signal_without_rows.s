# A signal frame whose rules cannot be expressed keeps an FDE without rows.
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	.cfi_signal_frame
	.cfi_escape 0x0f,5,0x77,0xa0,0x01,6,6
	nop
	.cfi_endproc
	.size f, .-f
