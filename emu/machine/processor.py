"""The emulated processor: x86-64 in user mode, as a Linux process finds it.

The model is Nehalem (x86-64-v2): what its CPUID claims is what Unicorn executes, so that libc
picks runnable variants. AVX, XSAVE, BMI and RDRAND are not there. Code runs in ring 3, so that
privileged instructions fault as they should.
"""

import ctypes
from struct import pack

from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import uc_tb

from emu.machine.engine import Engine, make_engine
from emu.machine.mapping import Buffer

NEVER = 0xFFFF_FFFF_FFFF_FFFF
"""An address at which no guest stops."""

_STUB = 0x10000
_CODE_SELECTOR = 3 << 3 | 3
_DATA_SELECTOR = 2 << 3 | 3
_DESCRIPTORS = pack("<4Q", 0, 0, 0x00CF_F200_0000_FFFF, 0x00AF_FA00_0000_FFFF)
_CR4_OSFXSR_OSXMMEXCPT = 0x600
_EFLAGS = 0x202

INSTRUCTION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
"""Callback of an instruction hook; the result says whether the instruction was carried out."""
SYSTEM_CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
PORT_IN = ctypes.CFUNCTYPE(
    ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_void_p
)
PORT_OUT = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p
)
INTERRUPT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)
CODE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p)
BLOCK_MADE = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.POINTER(uc_tb), ctypes.POINTER(uc_tb), ctypes.c_void_p
)
"""Called when a block of code was translated, before it first runs."""
BAD_ACCESS = ctypes.CFUNCTYPE(
    ctypes.c_bool, ctypes.c_void_p, ctypes.c_int, ctypes.c_uint64, ctypes.c_int, ctypes.c_int64,
    ctypes.c_void_p,
)  # fmt: skip


def make_processor() -> Engine:
    """A processor in ring 3 with the floating-point state of a fresh process, nothing mapped."""
    uc = make_engine()
    uc.ctl_set_cpu_model(x86.UC_CPU_X86_NEHALEM)
    stub = Buffer(0x1000)
    uc.mem_map_ptr(_STUB, stub.size, 7, stub.address)
    frame = _STUB + 0x100
    table = _STUB + 0x200
    stub.view[:2] = b"\x48\xcf"  # iretq
    stub.view[0x80] = 0x90
    stub.view[0x100:0x128] = pack(
        "<5Q", _STUB + 0x80, _CODE_SELECTOR, _EFLAGS, _STUB + 0x800, _DATA_SELECTOR
    )
    stub.view[0x200 : 0x200 + len(_DESCRIPTORS)] = _DESCRIPTORS
    uc.reg_write(x86.UC_X86_REG_GDTR, (0, table, len(_DESCRIPTORS) - 1, 0))
    uc.reg_write(x86.UC_X86_REG_CR4, _CR4_OSFXSR_OSXMMEXCPT)
    uc.reg_write(x86.UC_X86_REG_RSP, frame)
    uc.emu_start(_STUB, _STUB + 0x80)
    uc.mem_unmap(_STUB, stub.size)
    uc.reg_write(x86.UC_X86_REG_GDTR, (0, 0, 0, 0))
    uc.reg_write(x86.UC_X86_REG_FPCW, 0x37F)
    uc.reg_write(x86.UC_X86_REG_FPTAG, 0xFFFF)
    uc.reg_write(x86.UC_X86_REG_MXCSR, 0x1F80)
    return uc
