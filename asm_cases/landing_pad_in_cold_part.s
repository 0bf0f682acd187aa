#@ title: An exception lands in the cold part of a function
# The unwinder's last act: rsp back to the frame, then a jump to the landing pad, which gcc puts
# into hot.cold, whose FDE begins with the whole frame. Before the jump `unwinds` stands in it.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call hot
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

hot:    .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        sub rsp, 32
        .cfi_def_cfa_offset 48
        mov [rip+frame_rsp], rsp
        call throws
        ud2
.Lback: #@ stack: hot _start*
        #@ row: CFA=rsp+48 RA=*(CFA-8)
        add rsp, 32
        .cfi_def_cfa_offset 16
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

hot.cold:
        .cfi_startproc
        .cfi_def_cfa_offset 48
        .cfi_offset rbx, -16
        #@ stack: hot.cold _start*
        #@ row: CFA=rsp+48 RA=*(CFA-8)
        call catches
        #@ stack: hot.cold _start*
        jmp .Lback
        .cfi_endproc

throws: .cfi_startproc
        #@ stack: throws hot _start*
        call unwinds
        ud2
        .cfi_endproc

unwinds:
        .cfi_startproc
        lea rdx, [rip+hot.cold]
        #@ stack: unwinds throws hot _start*
        mov rsp, [rip+frame_rsp]
        .cfi_def_cfa_offset 48
        #@ stack: unwinds _start*
        #@ row: CFA=rsp+48 RA=*(CFA-8)
        jmp rdx
        .cfi_endproc

catches:
        .cfi_startproc
        #@ stack: catches hot.cold _start*
        ret
        .cfi_endproc

        .bss
        .balign 8
frame_rsp: .skip 8
