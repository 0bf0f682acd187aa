#@ title: A function whose return address has been replaced
#@ findings: 1
# Return probes work like this: the slot holds a trampoline's address, the real one is kept aside.
# The rows are right and yet lead into the trampoline instead of the caller.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call probed
.Lback: #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

probed: .cfi_startproc
        lea rax, [rip+.Lhook]
        mov rcx, [rsp]
        mov [rip+kept], rcx
        xor ecx, ecx
        mov [rsp], rax
        #@ stack: probed _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        #@ verdict: 0 wrong pc
        ret
        .cfi_endproc

trampoline:
        .cfi_startproc
        .cfi_undefined rip
        nop
.Lhook: #@ stack: trampoline*
        jmp [rip+kept]
        .cfi_endproc

        .bss
        .balign 8
kept:   .skip 8
