#@ title: A switch through a jump table
# An indirect jump inside a function is no call; the row is the one of the target's place.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        xor edi, edi
        call choose
        mov edi, 2
        call choose
        #@ stack: _start*
        lea edi, [rax-30]
        mov eax, 60
        syscall
        .cfi_endproc

choose: .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        #@ stack: choose _start*
        jmp [rdi*8+table]
.Lzero: #@ stack: choose _start*
        mov eax, 10
        jmp .Lout
.Lone:  mov eax, 20
        jmp .Lout
.Ltwo:  mov eax, 30
.Lout:  #@ stack: choose _start*
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

        .section .rodata
        .balign 8
table:  .quad .Lzero, .Lone, .Ltwo
