#@ title: A signal while a coroutine runs
# The handler's frames go on the coroutine's stack; the stack of _start is not part of the picture.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov esi, offset action
        mov edi, 10
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
        call switch
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

switch: .cfi_startproc
        #@ stack: switch _start*
        #@ stack: switch guest*
        xchg rsp, [rip+other_rsp]
        #@ stack: switch guest*
        #@ stack: switch _start*
        ret
        .cfi_endproc

guest:  .cfi_startproc
        .cfi_undefined rip
        nop
.Lentry:
        #@ stack: guest*
        mov eax, 39
        syscall
        mov edi, eax
        mov esi, 10
        mov eax, 62
        syscall
        #@ stack: guest*
        call switch
        ud2
        .cfi_endproc

handler:
        .cfi_startproc
        #@ stack: handler ?restorer guest*
        ret
        .cfi_endproc
        nop
restorer:
        #@ stack: ?restorer guest*
        mov eax, 15
        syscall

        .data
        .balign 8
action: .quad handler, 0x04000000, restorer, 0
other_rsp: .quad stack_top
        .balign 16
        .zero 8192
stack_top: .quad .Lentry, 0
