#@ title: A lazy procedure linkage table as ld makes it, with two functions
# The entries are alike, 16 bytes each. Their CFI is the linker's too: one expression on the pc for
# all of them. GNU as could not write it as SFrame; ld, which makes the table, writes its rows itself.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call one_stub
        call two_stub
        call two_stub
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

        .balign 16
plt:    .cfi_startproc
        .cfi_def_cfa_offset 16
        push [rip+link_map]
        .cfi_def_cfa_offset 24
        jmp [rip+resolve]
        .byte 0x0f, 0x1f, 0x40, 0x00
        # CFA = rsp + 8 + 8 * ((rip & 15) >= 11)
        .cfi_escape 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22
one_stub:
        jmp [rip+one_slot]
.Lone:  .byte 0x68, 0, 0, 0, 0
        .byte 0xe9
        .long plt - . - 4
two_stub:
        jmp [rip+two_slot]
.Ltwo:  .byte 0x68, 1, 0, 0, 0
        .byte 0xe9
        .long plt - . - 4
        .cfi_endproc
        .size plt, 48

resolver:
        .cfi_startproc
        .cfi_def_cfa_offset 24
        mov rcx, [rsp+8]
        lea rdx, [rip+functions]
        mov rax, [rdx+8*rcx]
        lea rdx, [rip+one_slot]
        mov [rdx+8*rcx], rax
        add rsp, 16
        .cfi_def_cfa_offset 8
        jmp rax
        .cfi_endproc

one:    .cfi_startproc
        ret
        .cfi_endproc

two:    .cfi_startproc
        ret
        .cfi_endproc

        .section .rodata
        .balign 8
functions:
        .quad one, two

        .data
        .balign 8
link_map:
        .quad 0
resolve:
        .quad resolver
one_slot:
        .quad .Lone
two_slot:
        .quad .Ltwo
