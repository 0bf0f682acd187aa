#@ title: Recursion: the same return address three times on the stack
# Frames can only be told apart by their slots. A tracker that matched addresses would lose count.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, 3
        call fact
        #@ stack: _start*
        lea edi, [rax-6]
        mov eax, 60
        syscall
        .cfi_endproc

fact:   .cfi_startproc
        #@ stack: fact _start*
        #@ stack: fact fact _start*
        #@ stack: fact fact fact _start*
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        mov ebx, edi
        mov eax, 1
        cmp edi, 1
        jle .Ldone
        dec edi
        call fact
        #@ stack: fact fact _start*
        #@ stack: fact _start*
        imul eax, ebx
.Ldone: pop rbx
        .cfi_def_cfa_offset 8
        #@ stack: fact fact fact _start*
        #@ stack: fact fact _start*
        #@ stack: fact _start*
        ret
        .cfi_endproc
