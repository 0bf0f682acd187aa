"""Call frame instructions to the rows GNU as 2.47 derives from them.

SFrame specification, 'What GNU as emits on x86-64'. A location advance begins a row. One that
no instruction about CFA, FP or RA touches is merged into the row before it when the next
begins; the last one of a procedure is kept all the same. What rows cannot express drops the FDE,
with the assembler's words for the reason.
"""

from dataclasses import dataclass, replace

from emu.cfi.escapes import Escape, EscapeKind, decode_escape
from emu.cfi.instructions import RBP, RIP, RSP, Instruction, Op, Procedure
from emu.sframe import UNDEFINED, Rule, Rules

_NAMES = {RSP: "SP", RBP: "FP", RIP: "RA"}
_FIXED_RA = Rule(None, -8, deref=True)
_NO_CFA = Rule(RSP, 0)
"""What as writes in a row of a procedure that has said nothing about its CFA."""
_MOST_ROWS = 0xFFFF


@dataclass(frozen=True, slots=True)
class Translation:
    """Rows as pairs (start offset in bytes, rules); `dropped` says why there is no FDE.

    `flexible`: an instruction needed the flexible FDE type, whether or not a row still shows it.
    For a signal frame the FDE stays, without rows, although `dropped` has a reason.
    """

    rows: tuple[tuple[int, Rules], ...]
    flexible: bool = False
    dropped: str | None = None

    def emitted(self, procedure: Procedure) -> bool:
        """Whether the procedure has an FDE."""
        return self.dropped is None or procedure.signal


class _NotRepresentableError(Exception):
    """Carries the reason to `translate`."""


def _not_representable(text: str, register: int) -> _NotRepresentableError:
    return _NotRepresentableError(text.format(_NAMES[register], register))


@dataclass(frozen=True, slots=True)
class _State:
    cfa: Rule | None
    ra: Rule = _FIXED_RA
    fp: Rule | None = None
    ra_undefined: bool = False

    def rules(self) -> Rules:
        if self.ra_undefined:
            return UNDEFINED
        return Rules(self.cfa or _NO_CFA, self.ra, self.fp)


class _Machine:
    def __init__(self, procedure: Procedure) -> None:
        self.rows: list[tuple[int, _State]] = []
        self.state = _State(None if procedure.simple else Rule(RSP, 8))
        self.location = 0
        self.has_row = self.touched = not procedure.simple
        self.flexible = False
        self.remembered: _State | None = None

    def advance(self, offset: int) -> None:
        if self.touched:
            self.rows.append((self.location, self.state))
        self.location = offset
        self.has_row, self.touched = True, False

    def finish(self) -> None:
        if self.has_row:
            self.rows.append((self.location, self.state))

    def change(self, state: _State) -> None:
        self.state = state
        self.has_row = self.touched = True

    def execute(self, one: Instruction) -> None:
        match one.op:
            case Op.DEF_CFA | Op.DEF_CFA_REGISTER | Op.DEF_CFA_OFFSET:
                self.define_cfa(self.cfa_of(one))
            case Op.REMEMBER_STATE:
                if not self.has_row:
                    raise _NotRepresentableError(
                        ".cfi_remember_state without prior SFrame FRE state"
                    )
                self.remembered = self.state
            case Op.RESTORE_STATE:
                if self.remembered is not None:
                    self.change(self.remembered)
            case Op.ESCAPE:
                self.escape(decode_escape(one.data))
            case _:
                self.execute_register(one)

    def execute_register(self, one: Instruction) -> None:
        """Instructions about the place of one register's value at entry."""
        match one.op, one.register:
            case (Op.VAL_OFFSET, register) if register == RBP or (register == RSP and one.value):
                raise _not_representable(".cfi_val_offset with {} reg {}", register)
            case (Op.REGISTER, register) if register == RSP:
                raise _not_representable("{} register {} in .cfi_register", register)
            case (Op.UNDEFINED, register) if register in {RSP, RBP}:
                raise _not_representable("{} reg {} in .cfi_undefined", register)
            case (Op.UNDEFINED, register) if register == RIP:
                self.change(replace(self.state, ra_undefined=True))
            case (Op.OFFSET, register):
                self.saved(register, Rule(None, one.value, deref=True))
            case (Op.REGISTER, register):
                self.saved(register, Rule(one.source, 0))
            case (Op.SAME_VALUE, register) if register == RBP:
                self.saved(register, None)
            case (Op.RESTORE, register) if register == RBP:
                self.saved(register, self.rows[0][1].fp if self.rows else self.state.fp)

    def cfa_of(self, one: Instruction) -> Rule:
        before = self.state.cfa
        match one.op:
            case Op.DEF_CFA:
                return Rule(one.register, _in_32_bits(one.value, ".cfi_def_cfa"))
            case Op.DEF_CFA_REGISTER:
                return Rule(one.register, before.offset if before else 0)
            case _:
                offset = _in_32_bits(one.value, ".cfi_def_cfa_offset")
                if before is None:
                    raise _NotRepresentableError(
                        ".cfi_def_cfa_offset without CFA base register in effect"
                    )
                return replace(before, offset=offset)

    def define_cfa(self, rule: Rule) -> None:
        self.flexible = self.flexible or rule.deref or rule.base not in {RSP, RBP}
        self.change(replace(self.state, cfa=rule))

    def saved(self, register: int, rule: Rule | None) -> None:
        in_cfa_slot = rule is None or (rule.base is None and rule.deref)
        if register == RBP:
            self.flexible = self.flexible or not in_cfa_slot
            self.change(replace(self.state, fp=rule))
        elif register == RIP and rule == _FIXED_RA:
            self.change(replace(self.state, ra=rule))  # an undefined RA stays undefined
        elif register == RIP and rule is not None:
            self.flexible = True
            self.change(replace(self.state, ra=rule, ra_undefined=False))

    def escape(self, escape: Escape) -> None:
        rule = Rule(escape.register, escape.value, deref=True)
        cfa = self.state.cfa
        match escape.kind:
            case EscapeKind.IGNORED:
                pass
            case EscapeKind.FP_SLOT:
                self.saved(RBP, rule)
            case EscapeKind.CFA_SLOT:
                self.define_cfa(rule)
            case EscapeKind.ARGS_SIZE if cfa is not None and cfa.base == RBP:
                pass
            case EscapeKind.ARGS_SIZE | EscapeKind.NOT_REPRESENTABLE:
                raise _NotRepresentableError(escape.reason)


def _in_32_bits(value: int, directive: str) -> int:
    if not -(1 << 31) <= value < 1 << 31:
        raise _NotRepresentableError(f"{directive} with unsupported offset value")
    return value


def _run(procedure: Procedure) -> _Machine:
    if procedure.return_column != RIP:
        raise _NotRepresentableError(f"non-default RA register {procedure.return_column}")
    machine = _Machine(procedure)
    for instruction in procedure.instructions:
        if instruction.offset != machine.location:
            machine.advance(instruction.offset)
        machine.execute(instruction)
    machine.finish()
    if len(machine.rows) > _MOST_ROWS:
        raise _NotRepresentableError("Number of FREs exceeds UINT16_MAX")
    return machine


def translate(procedure: Procedure) -> Translation:
    """The rows of a procedure, or why it has none."""
    try:
        machine = _run(procedure)
    except _NotRepresentableError as reason:
        return Translation((), dropped=str(reason))
    rows = tuple((start, state.rules()) for start, state in machine.rows)
    return Translation(rows, machine.flexible)
