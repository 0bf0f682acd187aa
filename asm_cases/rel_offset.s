#@ title: .cfi_rel_offset counts from the stack pointer
# The same slot said in another way: 16 above rsp is 32 below a CFA of rsp+48.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call stores
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

stores: .cfi_startproc
        sub rsp, 40
        .cfi_def_cfa_offset 48
        mov [rsp+16], rbp
        .cfi_rel_offset rbp, 16
        xor ebp, ebp
        #@ stack: stores _start*
        #@ row: CFA=rsp+48 RA=*(CFA-8) FP=*(CFA-32)
        nop
        mov rbp, [rsp+16]
        .cfi_restore rbp
        #@ row: CFA=rsp+48 RA=*(CFA-8)
        add rsp, 40
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
