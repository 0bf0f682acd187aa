#@ title: longjmp by a return
# As the BSDs' longjmp: rsp goes to the slot through which setjmp returned, the address is stored
# there and ret does the rest. The store is what makes the word a return address; before it, and after
# the jump of rsp, the address is in a register.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebx, 3
        call setjmp_
        #@ stack: _start*
        dec ebx
        jz .Lend
        mov [rip+left], ebx
        push rax
        push rax
        call outer
        ud2
.Lend:  mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

setjmp_:
        .cfi_startproc
        mov rax, [rsp]
        mov [rip+saved_pc], rax
        mov [rip+saved_rsp], rsp
        ret
        .cfi_endproc

outer:  .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        call longjmp_
        ud2
        .cfi_endproc

longjmp_:
        .cfi_startproc
        mov ebx, [rip+left]
        mov rdx, [rip+saved_pc]
        #@ stack: longjmp_ outer _start*
        mov rsp, [rip+saved_rsp]
        .cfi_register rip, rdx
        #@ stack: longjmp_ _start*
        #@ row: CFA=rsp+8 RA=rdx
        mov [rsp], rdx
        .cfi_offset rip, -8
        #@ stack: longjmp_ _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc

        .bss
        .balign 8
saved_rsp: .skip 8
saved_pc: .skip 8
left:   .skip 4
