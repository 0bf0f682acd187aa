# Signed return addresses, a saved frame record, wide words, a signal frame; functions 4 and 5 are dropped.
	.text
f1:	.cfi_startproc
	.cfi_b_key_frame
	paciasp
	.cfi_negate_ra_state
	stp x29,x30,[sp,-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset 29,-32
	.cfi_offset 30,-24
	mov x29,sp
	.cfi_def_cfa_register 29
	nop
	ldp x29,x30,[sp],32
	.cfi_restore 29
	.cfi_restore 30
	.cfi_def_cfa 31,0
	autiasp
	.cfi_negate_ra_state
	ret
	.cfi_endproc
f2:	.cfi_startproc
	nop
	sub sp,sp,#4096
	.cfi_def_cfa_offset 4096
	.cfi_offset 30,-8
	nop
	.cfi_endproc
f3:	.cfi_startproc
	.cfi_signal_frame
	.cfi_undefined 30
	nop
	.cfi_endproc
f4:	.cfi_startproc
	nop
	.cfi_def_cfa 9, 16
	nop
	.cfi_register 30, 10
	nop
	.cfi_offset 29,-8
	nop
	.cfi_endproc
f5:	.cfi_startproc
	nop
	.cfi_register 30, 10
	nop
	.cfi_offset 29,-8
	nop
	.cfi_endproc
