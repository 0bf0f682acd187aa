#@ title: The return address hidden by an exclusive or
#@ findings: 1
# A hardening scheme that no CFI can express: in between the slot holds no address at all.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call hides
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

hides:  .cfi_startproc
        #@ verdict: 0 ok
        xor qword ptr [rsp], 0x5a5a5a5a
        #@ stack: hides _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        #@ verdict: 0 wrong pc
        xor qword ptr [rsp], 0x5a5a5a5a
        #@ stack: hides _start*
        #@ verdict: 0 ok
        ret
        .cfi_endproc
