#@ title: setjmp returns twice
# The second time through a return address whose call was long over; its frame is still there. Once
# rsp is back, `jump_back` stands in that frame, and its row must say so.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call tries
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

tries:  .cfi_startproc
        sub rsp, 8
        .cfi_def_cfa_offset 16
        call set_jump
        #@ stack: tries _start*
        #@ stack: tries _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        test eax, eax
        jne .Lover
        call jump_back
        ud2
.Lover: #@ stack: tries _start*
        add rsp, 8
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

set_jump:
        .cfi_startproc
        #@ stack: set_jump tries _start*
        lea rax, [rsp+8]
        mov [rip+saved_rsp], rax
        mov rax, [rsp]
        mov [rip+saved_pc], rax
        xor eax, eax
        ret
        .cfi_endproc

jump_back:
        .cfi_startproc
        #@ stack: jump_back tries _start*
        mov eax, 1
        mov rdx, [rip+saved_pc]
        mov rsp, [rip+saved_rsp]
        .cfi_def_cfa_offset 16
        #@ stack: jump_back _start*
        jmp rdx
        .cfi_endproc

        .bss
        .balign 8
saved_rsp: .skip 8
saved_pc: .skip 8
