#@ title: A signal frame's FDE without rows
#@ findings: 1
# What as emits when the rules of a signal frame cannot be expressed. The kernel takes it for
# corruption and drops the whole section: one visit, and nothing of the object unwinds any more.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call handler
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

handler:
        .cfi_startproc
        .cfi_signal_frame
        .cfi_undefined rbp
        #@ verdict: 0 corrupt
        ret
        .cfi_endproc
