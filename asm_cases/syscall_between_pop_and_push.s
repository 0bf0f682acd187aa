#@ title: The return address in rdi across a system call
# vfork of the C library: the child must not find the parent's return address spoilt, so it is
# popped before the system call and pushed after it.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call forks
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

forks:  .cfi_startproc
        pop rdi
        .cfi_def_cfa_offset 0
        .cfi_register rip, rdi
        #@ stack: forks _start*
        #@ row: CFA=rsp+0 RA=rdi+0
        mov eax, 39
        syscall
        #@ stack: forks _start*
        push rdi
        .cfi_def_cfa_offset 8
        .cfi_offset rip, -8
        #@ stack: forks _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
