#@ title: Frames on both sides of what one and two bytes can say
# CFA = rsp+120, +128, +32760 and +32768: the width of the words is chosen row by row.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call one_byte
        call two_bytes
        call widest_two
        call four_bytes
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

one_byte:
        .cfi_startproc
        sub rsp, 112
        .cfi_def_cfa_offset 120
        #@ stack: one_byte _start*
        #@ row: CFA=rsp+120 RA=*(CFA-8)
        add rsp, 112
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

two_bytes:
        .cfi_startproc
        sub rsp, 120
        .cfi_def_cfa_offset 128
        #@ stack: two_bytes _start*
        #@ row: CFA=rsp+128 RA=*(CFA-8)
        add rsp, 120
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

widest_two:
        .cfi_startproc
        sub rsp, 32752
        .cfi_def_cfa_offset 32760
        #@ stack: widest_two _start*
        #@ row: CFA=rsp+32760 RA=*(CFA-8)
        add rsp, 32752
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

four_bytes:
        .cfi_startproc
        sub rsp, 32760
        .cfi_def_cfa_offset 32768
        #@ stack: four_bytes _start*
        #@ row: CFA=rsp+32768 RA=*(CFA-8)
        add rsp, 32760
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
