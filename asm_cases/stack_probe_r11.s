#@ title: CFA in r11 while a big frame is probed page by page
# gcc -fstack-clash-protection: rsp moves in a loop, so the CFA is described by the end value.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call probes
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

probes: .cfi_startproc
        lea r11, [rsp-0x3000]
        .cfi_def_cfa r11, 0x3008
.Lpage: sub rsp, 0x1000
        or qword ptr [rsp], 0
        #@ stack: probes _start*
        #@ row: CFA=r11+12296 RA=*(CFA-8)
        cmp rsp, r11
        jne .Lpage
        .cfi_def_cfa_register rsp
        #@ row: CFA=rsp+12296 RA=*(CFA-8)
        #@ stack: probes _start*
        add rsp, 0x3000
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
