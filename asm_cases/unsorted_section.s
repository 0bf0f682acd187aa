#@ title: A section that was never linked: unsorted
#@ sframe: unsorted
# Without the sorted flag the kernel refuses to register the section. Nothing unwinds, nothing is
# wrong either: all frames are gaps.
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
