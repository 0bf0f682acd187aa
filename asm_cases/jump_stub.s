#@ title: A call through a stub that jumps
# A PLT entry after binding: one indirect jump, nothing pushed. CFA = rsp+8, not the rsp+16 that
# ld writes for .plt.got.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call stub
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

stub:   .cfi_startproc
        endbr64
        #@ stack: stub _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        jmp [rip+got]
        .cfi_endproc

target: .cfi_startproc
        #@ stack: target _start*
        ret
        .cfi_endproc

        .data
        .balign 8
got:    .quad target
