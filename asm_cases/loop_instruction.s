#@ title: The loop instruction around a call
# A branch that counts rcx down: the same call site, the same slot, three times.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ecx, 3
        call loops
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

loops:  .cfi_startproc
        sub rsp, 24
        .cfi_def_cfa_offset 32
.Lagain:
        #@ stack: loops _start*
        #@ stack: loops _start*
        #@ stack: loops _start*
        #@ row: CFA=rsp+32 RA=*(CFA-8)
        call leaf
        loop .Lagain
        #@ stack: loops _start*
        add rsp, 24
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf loops _start*
        #@ stack: leaf loops _start*
        #@ stack: leaf loops _start*
        ret
        .cfi_endproc
