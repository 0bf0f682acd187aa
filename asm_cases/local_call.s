#@ title: A local subroutine inside a function
# A call into the caller's own FDE, not to its start. CFI may count the pushed word as part of the
# frame or not; here it does not, and both frames of `twice` unwind.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call twice
        #@ stack: _start*
        lea edi, [rax-2]
        mov eax, 60
        syscall
        .cfi_endproc

twice:  .cfi_startproc
        xor eax, eax
        call .Lsub
        call .Lsub
        ret
.Lsub:  #@ row: CFA=rsp+8 RA=*(CFA-8)
        #@ stack: twice twice _start*
        inc eax
        #@ stack: twice twice _start*
        ret
        .cfi_endproc
