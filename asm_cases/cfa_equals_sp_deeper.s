#@ title: CFA == rsp below the topmost frame
#@ findings: 1
#@ violations: 1
# A frame without a single word on the stack can call when its return address is in a register.
# Topmost the kernel accepts CFA == rsp; deeper it takes it for a stack that does not grow.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call bodiless
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

bodiless:
        .cfi_startproc
        pop rbx
        .cfi_def_cfa_offset 0
        .cfi_register rip, rbx
        #@ row: CFA=rsp+0 RA=rbx+0
        #@ verdict: 0 ok
        call leaf
        #@ stack: bodiless _start*
        jmp rbx
        .cfi_endproc

leaf:   .cfi_startproc
        #@ verdict: 1 refused
        ret
        .cfi_endproc
