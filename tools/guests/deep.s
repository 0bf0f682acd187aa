#@ title: A leaf called again and again from the bottom of a recursion
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, 10
        call down
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
down:   .cfi_startproc
        dec edi
        jz bottom
        call down
        ret
        .cfi_endproc
bottom: .cfi_startproc
        mov esi, 1
again:  call leaf
        dec esi
        jnz again
        ret
        .cfi_endproc
leaf:   .cfi_startproc
        ret
        .cfi_endproc
