#@ title: An undefined return address cannot be defined again
#@ findings: 1
# `.cfi_restore rip` takes back `.cfi_undefined rip` in .eh_frame, but not in the rows GNU as makes:
# the function looks outermost to its end.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call forgets
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

forgets:
        .cfi_startproc
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        nop
        .cfi_undefined rip
        .cfi_restore rip
        #@ stack: forgets _start*
        #@ row: RA undefined
        #@ verdict: 0 truncated
        ret
        .cfi_endproc
