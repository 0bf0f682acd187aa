#@ title: .cfi_startproc simple without any CFI
#@ findings: 1
# An FDE without rows. The document calls that an outermost frame, the kernel a corrupt section.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call bare
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

bare:   .cfi_startproc simple
        #@ verdict: 0 corrupt
        ret
        .cfi_endproc
