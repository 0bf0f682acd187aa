#@ title: A switch to another stack by leave
# rbp is prepared, leave takes it for the end of a frame: rsp is on another stack then, and rbp
# comes from there. Neither is arithmetic on the stack that is left.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        lea rcx, [rip+.Lentry]
        mov [rip+frame+8], rcx
        call switch
        #@ stack: _start*
        call switch
        #@ stack: _start*
        cmp ebp, 0x1234
        mov eax, 60
        setne dil
        movzx edi, dil
        syscall
        .cfi_endproc

switch: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        #@ stack: switch _start*
        #@ stack: switch guest*
        #@ stack: switch _start*
        #@ stack: switch work guest*
        #@ row: CFA=rsp+16 RA=*(CFA-8) FP=*(CFA-16)
        xchg rbp, [rip+other]
        leave
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        #@ stack: switch guest*
        #@ stack: switch _start*
        #@ stack: switch guest*
        #@ stack: switch _start*
        ret
        .cfi_endproc

guest:  .cfi_startproc
        .cfi_undefined rip
        nop
.Lentry:
        #@ stack: guest*
        call switch
        #@ stack: guest*
        call work
        ud2
        .cfi_endproc

work:   .cfi_startproc
        #@ stack: work guest*
        call switch
        ud2
        .cfi_endproc

        .data
        .balign 8
other:  .quad frame
        .bss
        .balign 16
stack:  .skip 4096
frame:  .skip 16
