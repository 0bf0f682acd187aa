#@ title: An exception lands by the return address of the last frame it skips
# As libgcc does: rsp goes to the slot by which the skipped frame would have returned, the landing
# pad's address is put there, popped and jumped to. From the first of these steps on the caller of
# `raises` is the landing pad in `catches`, with the registers that `catches` had at its call.
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
        .cfi_register rip, rax
        #@ stack: raises catches _start*
        #@ row: CFA=rsp+8 RA=rax
        mov [rsp], rax
        .cfi_offset rip, -8
        #@ stack: raises catches _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        pop rcx
        .cfi_def_cfa_offset 0
        .cfi_register rip, rcx
        #@ stack: raises catches _start*
        #@ row: CFA=rsp+0 RA=rcx
        jmp rcx
        .cfi_endproc
