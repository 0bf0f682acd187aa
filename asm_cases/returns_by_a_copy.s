#@ title: A function that moves its return address
# libffi's ffi_call_unix64 does: it copies its return address to memory that its caller has made
# room in, moves rsp there, calls on and returns by the copy, which frees the memory, too. Until rsp
# has risen above the first word nothing shows by which of them it will return, and its CFI changes
# to the second one before: those checks are kept until it shows.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebx, 3
.Lagain:
        call caller
        #@ stack: _start*
        dec ebx
        jnz .Lagain
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

caller: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        sub rsp, 128
        mov rdi, rsp
        call moves
        #@ stack: caller _start*
        leave
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        ret
        .cfi_endproc

# rdi: the memory; 96 bytes above are for the frame
moves:  .cfi_startproc
        #@ stack: moves caller _start*
        mov r10, [rsp]
        lea rax, [rdi+96]
        mov [rax], rbp
        mov [rax+8], r10
        mov rbp, rax
        .cfi_def_cfa rbp, 16
        .cfi_offset rbp, -16
        #@ stack: moves caller _start*
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        mov r10d, 0
        lea rsp, [rdi+64]
        #@ stack: moves caller _start*
        #@ verdict: 0 ok
        call work
        #@ verdict: 0 ok
        mov rsp, rbp
        #@ verdict: 0 ok
        pop rbp
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        #@ stack: moves caller _start*
        #@ verdict: 0 ok
        ret
        .cfi_endproc

work:   .cfi_startproc
        #@ stack: work moves caller _start*
        #@ verdict: 1 ok
        #@ verdict: 2 ok
        push rbx
        .cfi_def_cfa_offset 16
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
