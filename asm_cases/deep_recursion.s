#@ title: Recursion deeper than the kernel walks
#@ findings: 1
# 600 frames, all with right rows. The kernel stops after 510 entries: a limit of the walk alone.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, 600
        call sink
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

sink:   .cfi_startproc
        #@ stack: sink _start*
        #@ stack: sink sink _start*
        #@ stack: sink sink sink _start*
        #@ stack: ...
        dec edi
        je .Lend
        call sink
        #@ stack: sink sink
        #@ stack: ...
        #@ row: CFA=rsp+8 RA=*(CFA-8)
.Lend:  ret
        .cfi_endproc
