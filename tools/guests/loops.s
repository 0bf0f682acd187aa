#@ title: A loop over an array in a leaf function
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov r12d, 1
again:  lea rdi, [rip+array]
        mov esi, 16384
        call sum
        dec r12d
        jnz again
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
sum:    .cfi_startproc
        xor eax, eax
next:   mov edx, [rdi+rsi*4-4]
        imul edx, edx, 7
        xor edx, esi
        add eax, edx
        mov [rdi+rsi*4-4], edx
        dec esi
        jnz next
        ret
        .cfi_endproc
        .bss
array:  .skip 65536
