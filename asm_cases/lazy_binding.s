#@ title: Lazy binding by hand: stub, common entry, resolver
# Two words lie above the return address until the resolver throws them away and jumps on. Each
# part has its own first row.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call stub
        #@ stack: _start*
        call stub
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

stub:   .cfi_startproc
        jmp [rip+slot]
.Lbind: #@ stack: stub _start*
        push 0
        .cfi_adjust_cfa_offset 8
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        jmp common
        .cfi_endproc

common: .cfi_startproc
        .cfi_def_cfa_offset 16
        push [rip+slot]
        .cfi_adjust_cfa_offset 8
        #@ stack: common _start*
        #@ row: CFA=rsp+24 RA=*(CFA-8)
        jmp resolver
        .cfi_endproc

resolver:
        .cfi_startproc
        .cfi_def_cfa_offset 24
        lea rax, [rip+target]
        mov [rip+slot], rax
        #@ stack: resolver _start*
        add rsp, 16
        .cfi_def_cfa_offset 8
        #@ stack: resolver _start*
        jmp rax
        .cfi_endproc

target: .cfi_startproc
        #@ stack: target _start*
        ret
        .cfi_endproc

        .data
        .balign 8
slot:   .quad .Lbind
