#@ title: A breakpoint while rbp is in the red zone
# The kernel leaves 128 bytes below rsp alone, so FP = *(CFA-16) holds while the handler runs,
# although the slot lies below the interrupted stack pointer.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov esi, offset action
        mov edi, 5
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
        mov ebp, 0x1234
        call leaf
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

leaf:   .cfi_startproc
        mov [rsp-8], rbp
        .cfi_offset rbp, -16
        xor ebp, ebp
        int3
        #@ stack: leaf _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8) FP=*(CFA-16)
        mov rbp, [rsp-8]
        .cfi_restore rbp
        ret
        .cfi_endproc

handler:
        .cfi_startproc
        #@ stack: handler ?restorer leaf _start*
        #@ verdict: 2 ok
        ret
        .cfi_endproc
        nop
restorer:
        #@ stack: ?restorer leaf _start*
        mov eax, 15
        syscall

        .data
        .balign 8
action: .quad handler, 0x04000000, restorer, 0
