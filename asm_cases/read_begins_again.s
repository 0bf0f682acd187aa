#@ title: An interrupted read that begins again, and one that fails
# With SA_RESTART the interrupted pc is the system call itself, without it the instruction behind.
# Here that is another function, so the stack of the handler shows which.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, offset ends
        mov eax, 22
        syscall
        mov esi, offset restarts
        call wait_for_byte
        #@ stack: _start*
        mov ebx, eax
        mov esi, offset interrupts
        call wait_for_byte
        #@ stack: _start*
        # 1 byte, then -EINTR
        cmp ebx, 1
        jne .Lwrong
        cmp eax, -4
        jne .Lwrong
        mov eax, 60
        xor edi, edi
        syscall
.Lwrong:
        mov eax, 60
        mov edi, 1
        syscall
        .cfi_endproc

wait_for_byte:
        .cfi_startproc
        mov edi, 14
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
        xor edi, edi
        mov esi, offset once
        xor edx, edx
        mov eax, 38
        syscall
        mov edi, [rip+ends]
        mov esi, offset letter
        mov edx, 1
        xor eax, eax
        #@ stack: wait_for_byte _start*
        #@ stack: wait_for_byte _start*
        #@ stack: wait_for_byte _start*
        syscall
        .cfi_endproc
behind: .cfi_startproc
        #@ stack: behind _start*
        #@ stack: behind _start*
        ret
        .cfi_endproc

answer: .cfi_startproc
        #@ stack: answer ?restorer wait_for_byte _start*
        mov edi, [rip+ends+4]
        mov esi, offset letter
        mov edx, 1
        mov eax, 1
        syscall
        #@ stack: answer ?restorer wait_for_byte _start*
        ret
        .cfi_endproc

ignore: .cfi_startproc
        #@ stack: ignore ?restorer behind _start*
        ret
        .cfi_endproc
        nop
restorer:
        #@ stack: ?restorer wait_for_byte _start*
        #@ stack: ?restorer behind _start*
        mov eax, 15
        syscall

        .data
        .balign 8
restarts: .quad answer, 0x14000000, restorer, 0
interrupts: .quad ignore, 0x04000000, restorer, 0
once:   .quad 0, 0, 0, 20000
ends:   .long 0, 0
letter: .byte 0
