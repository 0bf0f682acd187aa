#@ title: Instructions and directives that both assemblers must turn into the same bytes
 .intel_syntax noprefix
 .text
 .globl _start
K = 40
_start:
 mov eax, 60
 mov rax, 60
 mov rax, 0x80000000
 mov rax, 0xffffffff
 mov rax, -1
 mov rax, 0x123456789abc
 movabs rax, 5
 movabs rcx, offset tab
 mov rax, offset tab
 mov eax, offset tab
 mov edi, offset _start
 mov al, 'A'
 mov byte ptr [rsp+1], 7
 mov word ptr [rsp+2], 0x1234
 mov dword ptr [rsp+4], -5
 mov qword ptr [rsp-8], K
 mov qword ptr [rsp-8], offset tab
 mov qword ptr [rsp-0x80], 0
 mov qword ptr [rsp+0x80], 0
 mov rax, fs:[0x28]
 mov rbx, fs:[0x28]
 mov fs:[0x28], rax
 mov qword ptr fs:[0x28], rbx
 mov rax, fs:0x28
 cmp rax, qword ptr fs:[40]
 sub rax, fs:[0x28]
 mov rax, gs:[rax+8]
 mov eax, [0x402000]
 mov rax, qword ptr [tab]
 mov rax, [rip+8]
 mov rax, [rip+tab]
 mov rax, tab[rip]
 mov rax, [rip+tab+8]
 mov [rip+var], rax
 mov dword ptr [rip+var], 5
 mov byte ptr [rip+var+3], 5
 cmp dword ptr var[rip], 100000
 add qword ptr [rip+var], 1
 lea rax, [rip+_start]
 lea rax, [rip+K]
 mov rax, [rax+K]
 lea rax, [rip+_start+K]
 lea rax, [rcx*1]
 lea rax, [rcx*2]
 lea rax, [rcx+rcx]
 lea rax, [rcx*4+5]
 lea rax, [rbp]
 lea rax, [rbp+rcx]
 lea rax, [r13]
 lea rax, [r12]
 lea rax, [r12+r13*8-0x1234]
 lea rax, [rsp+rax]
 lea rax, [rax+rsp]
 lea r10, [rsp+8]
 lea rsp, [r10-8]
 lea eax, [rdi+rsi]
 lea rsp, [rsp-0x1000]
 jmp [rax*8+tab]
 jmp tab[rax*8]
 jmp qword ptr [rip+tab]
 jmp rax
 jmp [rax]
 call [rax]
 call rax
 call [rip+tab]
 call qword ptr tab[rcx*8]
 notrack jmp rax
 notrack jmp [rax*8+tab]
 push rax
 push r12
 push [rax]
 push qword ptr [r10-8]
 push 5
 push 127
 push 128
 push -128
 push -129
 push offset tab
 push 0x12345678
 pop [rsp+8]
 pop r15
 pushfq
 popfq
 enter 16, 0
 leave
 ret
 ret 16
 rep ret
 nop
 nop dword ptr [rax]
 nop word ptr [rax+rax*1+8]
 endbr64
 and rsp, -64
 and rsp, ~63
 and eax, 0xfffffff0
 and eax, 255
 add rsp, 128
 sub rsp, -128
 sub rsp, 4104
 add rsp, 0x7fffffff
 sub rsp, rax
 add rax, 1000
 add eax, 1000
 add ax, 1000
 add ebx, 1000
 cmp al, 3
 cmp bl, 3
 cmp byte ptr [rdi], 'x'
 cmp rax, -1
 cmp eax, 0xffffffff
 test eax, eax
 test al, 1
 test rax, rbx
 test [rax], rbx
 test rbx, [rax]
 test dword ptr [rdi], 0x100
 xchg rax, rbx
 xchg rbx, rax
 xchg rcx, rdx
 xchg rsp, rbp
 xchg rsp, rax
 xchg rsp, [rdi]
 xchg [rdi], rsp
 xchg eax, ecx
 imul rax, 7
 imul rax, rbx
 imul eax, ebx, 1000
 imul rbx
 mul rcx
 div rcx
 idiv ecx
 neg rax
 not rax
 inc rax
 dec dword ptr [rsp]
 inc qword ptr [rip+var]
 shl rax
 shl rax, 1
 shl rax, 5
 shl rax, cl
 sar dword ptr [rsp], 3
 sal eax, 2
 ror rax, 13
 xor edi, edi
 xor rdi, rdi
 or rax, 1
 or qword ptr [rsp], 0
 orq:
 movzx eax, byte ptr [rdi]
 movzx eax, al
 movzx rax, word ptr [rdi]
 movsx rax, byte ptr [rdi]
 movsx eax, ax
 movsxd rax, dword ptr [rbx+rax*4]
 movsxd rax, ecx
 cdqe
 cqo
 cdq
 cwde
 bswap rax
 bsf rax, rbx
 bt rax, 5
 popcnt rax, rbx
 cmove rax, rbx
 cmovnz rax, [rsp]
 sete al
 setnz byte ptr [rsp]
 setg cl
 rep stosb
 rep stosq
 rep movsq
 rep movsb
 repne scasb
 repe cmpsb
 lodsb
 lodsq
 cld
 std
 lock inc dword ptr [rax]
 lock xadd [rax], rbx
 lock cmpxchg [rdi], rsi
 lock cmpxchg16b [rdi]
 mfence
 lfence
 sfence
 pause
 cpuid
 rdtsc
 syscall
 int3
 ud2
 hlt
 int 0x80
 clc
 stc
 movaps xmm0, xmm1
 movaps xmmword ptr [rsp], xmm0
 movaps xmm3, [rsp+16]
 movups xmm8, [rdi]
 movq rax, xmm0
 movq xmm0, rax
 movd xmm0, eax
 movss xmm0, dword ptr [rdi]
 movsd xmm0, qword ptr [rdi]
 addsd xmm0, xmm1
 mulsd xmm0, [rip+tab]
 cvtsi2sd xmm0, rax
 cvtsi2sd xmm0, eax
 cvttsd2si rax, xmm0
 pxor xmm0, xmm0
 xorps xmm0, xmm0
 ucomisd xmm0, xmm1
 pcmpeqb xmm0, xmm1
 pmovmskb eax, xmm0
 sqrtsd xmm0, xmm1
 ldmxcsr [rsp]
 stmxcsr [rsp]
 fxsave [rsp]
 fxrstor [rsp]
 fld qword ptr [rsp]
 fstp qword ptr [rsp]
 fld1
 mov rax, rsp
 mov rsp, rax
 mov rsp, [rax]
 mov [rdi], rsp
 mov rsp, qword ptr [rip+var]
 mov r8d, r9d
 mov r8b, 1
 mov sil, dil
 mov ah, bh
 mov ax, cs
 adc rax, 0
 sbb rax, rax
 loop _start2
 jrcxz _start2
_start2:
 jecxz _start2
 jmp _start2
 jmp 1f
 je 2f
 jne _start
 call _start
 call far_away
 jmp far_away
 jc 1f
1: nop
2: jz 1b
 .p2align 4
 jmp 1f
 .skip 200
1: .balign 32
 .p2align 4,,3
 .p2align 5,0xcc
 .byte 1,2,-1,'a','\n'
 .word 0x1234, -1
 .long 5, _start - 1b, tab
 .quad _start, -1, tab+8
 .ascii "ab\n", "c\101\x41\""
 .asciz "hello # not /* a comment"
 .zero 3
 .fill 3, 2, 0x1234
 .org 0x800
 .p2align 8
 .p2align 12
 .p2align 8
far_away: ret
 .section .rodata
 .align 8
tab: .quad _start, far_away
 .data
var: .quad 1, var
 .p2align 6
 .long 1
 .bss
buf: .skip 4096
 .set SIZE, . - buf
