#@ title: A table wrong on purpose: the return address that a context switch has pushed
#@ findings: 2
# The CFI takes the pushed word for part of the frame, as it would be before an indirect jump
# (ret_as_jump.s). But rsp has left the frame: below the word lies somebody else's.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rdi, [rip+saved]
        call save
        inc dword ptr [rip+count]
        cmp dword ptr [rip+count], 2
        jg .Lend
        call restores
        ud2
.Lend:  mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

save:   .cfi_startproc
        mov rcx, [rsp]
        mov [rdi+8], rcx
        lea rcx, [rsp+8]
        mov [rdi], rcx
        ret
        .cfi_endproc

restores:
        .cfi_startproc
        lea rsi, [rip+saved]
        mov rcx, [rsi+8]
        mov rsp, [rsi]
        .cfi_def_cfa rsp, 0
        .cfi_register rip, rcx
        #@ verdict: 0 ok
        push rcx
        .cfi_def_cfa_offset 16
        .cfi_offset rip, -8
        #@ stack: restores _start*
        #@ verdict: 0 wrong pc
        #@ verdict: 0 wrong sp
        ret
        .cfi_endproc

        .data
        .balign 8
saved:  .quad 0, 0
count:  .long 0
