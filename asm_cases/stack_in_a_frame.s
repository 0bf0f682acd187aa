#@ title: A second stack inside an array of a live frame
# Where a stack lies proves nothing: this one lies in `host`'s locals, above host's own calls.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call host
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

host:   .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        sub rsp, 1024
        lea rax, [rbp-16]
        lea rcx, [rip+.Lentry]
        mov [rax], rcx
        mov [rip+other_rsp], rax
        call switch
        #@ stack: host _start*
        nop
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc

switch: .cfi_startproc
        #@ stack: switch host _start*
        #@ stack: switch guest*
        xchg rsp, [rip+other_rsp]
        ret
        .cfi_endproc

guest:  .cfi_startproc
        .cfi_undefined rip
        nop
.Lentry:
        #@ stack: guest*
        nop
        call switch
        ud2
        .cfi_endproc

        .bss
        .balign 8
other_rsp: .skip 8
