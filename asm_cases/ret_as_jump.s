#@ title: push and ret as an indirect jump
# A return to an address that no call has pushed. It changes the function; the caller stays.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call hops
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

hops:   .cfi_startproc
        lea rax, [rip+landing]
        push rax
        .cfi_def_cfa_offset 16
        #@ stack: hops _start*
        ret
        .cfi_endproc

landing:
        .cfi_startproc
        #@ stack: landing _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
