#@ title: An auxiliary header: in the document, but not for the kernel
#@ sframe: auxiliary-header
# The format allows bytes between header and index. The kernel refuses to register such a section.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call leaf
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: ?leaf ?_start*
        ret
        .cfi_endproc
