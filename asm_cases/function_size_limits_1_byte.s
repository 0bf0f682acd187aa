#@ title: Functions of 255, 256 and 257 bytes
# Where the start offsets of rows go from one byte to two. The last instruction has its own row.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call below
        call exact
        call above
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

        .type below, @function
below:  .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        jmp .Lbelow
        .skip 255-8, 0xcc
.Lbelow:
        #@ stack: below _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rbx
        .cfi_def_cfa_offset 8
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
        .size below, 255

        .type exact, @function
exact:  .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        jmp .Lexact
        .skip 256-8, 0xcc
.Lexact:
        pop rbx
        .cfi_def_cfa_offset 8
        #@ stack: exact _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
        .size exact, 256

        .type above, @function
above:  .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        jmp .Labove
        .skip 257-8, 0xcc
.Labove:
        pop rbx
        .cfi_def_cfa_offset 8
        #@ stack: above _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
        .size above, 257
