#@ title: The CFA in memory that rbx points to
# A flexible row could say CFA = *(rbx-8). GNU as takes such an expression of rbp and rsp only and
# drops the whole function: a gap where .eh_frame is right.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call stores
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

stores: .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        lea rax, [rsp+16]
        sub rsp, 32
        .cfi_def_cfa_offset 48
        mov [rsp+8], rax
        lea rbx, [rsp+16]
        .cfi_escape 0x0f, 3, 0x73, 0x78, 6
        #@ stack: ?stores _start*
        #@ row: none
        and rsp, -256
        #@ stack: ?stores _start*
        lea rsp, [rbx+16]
        .cfi_def_cfa rsp, 16
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
