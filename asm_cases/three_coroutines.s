#@ title: Three stacks that hand control around in a circle
# Each switch goes to a stack parked by somebody else than the one that left last.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rdi, [rip+slot_one]
        call switch
        #@ stack: _start*
        nop
        lea rdi, [rip+slot_one]
        call switch
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

switch: .cfi_startproc
        #@ stack: switch _start*
        #@ stack: switch one*
        #@ stack: switch two*
        #@ stack: switch _start*
        #@ stack: switch deeper two*
        xchg rsp, [rdi]
        #@ stack: switch one*
        #@ stack: switch two*
        #@ stack: switch _start*
        #@ stack: switch two*
        #@ stack: switch _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc

one:    .cfi_startproc
        .cfi_undefined rip
        nop
.Lone:  #@ stack: one*
        lea rdi, [rip+slot_two]
        call switch
        ud2
        .cfi_endproc

two:    .cfi_startproc
        .cfi_undefined rip
        nop
.Ltwo:  #@ stack: two*
        lea rdi, [rip+slot_one]
        call switch
        #@ stack: two*
        nop
        call deeper
        ud2
        .cfi_endproc

deeper: .cfi_startproc
        #@ stack: deeper two*
        lea rdi, [rip+slot_one]
        call switch
        ud2
        .cfi_endproc

        .data
        .balign 16
        .zero 1024
stack_one: .quad .Lone
        .zero 1032
stack_two: .quad .Ltwo
        .zero 8
slot_one: .quad stack_one
slot_two: .quad stack_two
