#@ title: A table wrong on purpose: behind the jump into a landing pad
#@ findings: 4
# As landing_pad_instead_of_return.s, but the CFI goes on as if the frame of `raises` were still there.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebx, 0x77
        mov ebp, 0x1234
        call catches
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

catches:
        .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov ebp, 0x4321
        lea rax, [rip+.Llanding]
        call skipped
        ud2
.Llanding:
        #@ stack: catches _start*
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        ret
        .cfi_endproc

skipped:
        .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        mov ebx, 0
        call raises
        ud2
        .cfi_endproc

raises: .cfi_startproc
        #@ stack: raises skipped catches _start*
        lea rcx, [rsp+16]
        mov rbx, [rsp+8]
        #@ stack: raises skipped catches _start*
        mov rsp, rcx
        .cfi_def_cfa_offset 16
        #@ verdict: 0 wrong pc
        #@ verdict: 0 wrong sp
        mov [rsp], rax
        #@ verdict: 0 wrong pc
        #@ verdict: 0 wrong sp
        pop rcx
        .cfi_def_cfa_offset 8
        #@ verdict: 0 wrong pc
        #@ verdict: 0 wrong sp
        jmp rcx
        .cfi_endproc
