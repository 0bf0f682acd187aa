#@ title: rep movsb copies a frame onto itself, byte for byte
# One instruction, many rounds, each with the same pc; it rewrites the live return address with the
# bytes that are there already. Nothing may be seen to happen.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call copies
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

copies: .cfi_startproc
        sub rsp, 24
        .cfi_def_cfa_offset 32
        mov rsi, rsp
        mov rdi, rsp
        mov ecx, 32
        #@ stack: copies _start*
        #@ row: CFA=rsp+32 RA=*(CFA-8)
        rep movsb
        #@ stack: copies _start*
        add rsp, 24
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
