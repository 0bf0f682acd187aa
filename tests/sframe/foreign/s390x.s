# Scaled CFA offsets, FP without RA, registers as locations, CFA in another register (V3 only).
	.text
f1:	.cfi_startproc
	stmg %r11,%r15,88(%r15)
	.cfi_offset 11,-72
	.cfi_offset 14,-48
	.cfi_offset 15,-40
	lay %r15,-168(%r15)
	.cfi_def_cfa_offset 328
	lgr %r11,%r15
	.cfi_def_cfa_register 11
	nop
	lmg %r11,%r15,256(%r11)
	.cfi_restore 11
	.cfi_restore 14
	.cfi_def_cfa 15,160
	br %r14
	.cfi_endproc
f2:	.cfi_startproc
	nop
	.cfi_register 14, 17
	nop
	.cfi_register 11, 16
	nop
	.cfi_def_cfa_offset 100000
	nop
	.cfi_def_cfa_offset 161
	nop
	.cfi_endproc
f3:	.cfi_startproc
	.cfi_undefined 14
	nop
	.cfi_endproc
f4:	.cfi_startproc
	nop
	.cfi_offset 11,-72
	nop
	.cfi_def_cfa_offset 168
	nop
	.cfi_endproc
f5:	.cfi_startproc
	nop
	.cfi_def_cfa 3, 168
	nop
	.cfi_endproc
