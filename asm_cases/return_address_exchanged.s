#@ title: The return address changes places with rbx
# RA = rbx while the slot holds the caller's rbx: no word of the stack says where to return.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebx, 0x2222
        call swaps
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

swaps:  .cfi_startproc
        xchg rbx, [rsp]
        .cfi_register rip, rbx
        .cfi_offset rbx, -8
        #@ stack: swaps _start*
        #@ row: CFA=rsp+8 RA=rbx+0
        mov eax, 39
        syscall
        #@ stack: swaps _start*
        xchg rbx, [rsp]
        .cfi_offset rip, -8
        .cfi_restore rbx
        #@ stack: swaps _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
