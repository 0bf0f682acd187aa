#@ title: A thread made by clone
# Its stack begins at the instruction behind the system call, with nothing on it: where the other
# thread has the frames of its callers, this one has none.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call spawn
        #@ stack: _start*
        call wait
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

spawn:  .cfi_startproc
        # CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, CHILD_CLEARTID
        mov edi, 0x250f00
        lea rsi, [rip+stack_top]
        xor edx, edx
        mov r10d, offset running
        xor r8d, r8d
        mov eax, 56
        #@ stack: spawn _start*
        syscall
        .cfi_endproc
# Both threads come here. What is above rsp differs, so there are no rows: glibc does the same.
spawned:
        test eax, eax
        jz thread
        #@ stack: ?spawned _start*
        ret

thread: .cfi_startproc
        .cfi_undefined rip
        #@ stack: thread*
        call work
        #@ stack: thread*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

work:   .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        #@ stack: work thread*
        mov eax, 24
        syscall
        #@ stack: work thread*
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

wait:   .cfi_startproc
        # FUTEX_WAIT until the thread's end clears the word
        mov edi, offset running
        xor esi, esi
        mov edx, 1
        xor r10d, r10d
        mov eax, 202
        syscall
        #@ stack: wait _start*
        cmp dword ptr [rip+running], 0
        jne wait
        ret
        .cfi_endproc

        .data
        .balign 8
running: .long 1
        .bss
        .balign 16
stack:  .skip 4096
stack_top:
        .skip 8
