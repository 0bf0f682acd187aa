#@ title: A recursion 18 deep; every eighth instruction or so is a call or a return
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov r12d, 1
again:  mov edi, 18
        call fib
        dec r12d
        jnz again
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
fib:    .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        push rbx
        .cfi_def_cfa_offset 24
        sub rsp, 8
        .cfi_def_cfa_offset 32
        mov ebx, edi
        mov eax, edi
        cmp edi, 2
        jb done
        lea edi, [rbx-1]
        call fib
        mov ebp, eax
        lea edi, [rbx-2]
        call fib
        add eax, ebp
done:   add rsp, 8
        .cfi_def_cfa_offset 24
        pop rbx
        .cfi_def_cfa_offset 16
        pop rbp
        .cfi_restore rbp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
