"""The kernel's section store, lookups and walks a second time, to compare emu.unwind with.

Written down the description of the behaviour from top to bottom, numbers of its sections in
the comments, nothing shared with emu.unwind: no policies, no caches, no classes for rules.
Results have the shape of the recorded vectors. `tools/make_vectors.py` makes vectors with
it, `tools/fuzz_unwind.py` asks it about every input.
"""

import struct
from collections.abc import Callable
from typing import Any

ENOENT, ENOMEM, EFAULT, EEXIST, EINVAL = 2, 12, 14, 17, 22
U64 = (1 << 64) - 1
U32 = (1 << 32) - 1

Read = Callable[[int, int], bytes | None]
"""The bytes at an address, or None if one of them is unreadable."""
Json = Any  # rules and states in the vectors' shape


class FailedError(Exception):
    """A lookup ends with this errno."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


class Record:
    """1.1, with the addresses as plain attributes."""

    def __init__(self, sframe: tuple[int, int], text: tuple[int, int]) -> None:
        self.sframe_start, self.sframe_end = sframe
        self.text_start, self.text_end = text
        self.fdes_start = self.fres_start = self.fres_end = self.num_fdes = 0
        self.ra_off = self.fp_off = 0


class PlainKernel:
    """One address space of the task `prog` (42), all of whose mappings are of /bin/prog.

    `vmas` are (start, end, executable). `fail_allocation` n lets the n-th record allocation
    from now on fail.
    """

    def __init__(
        self, read: Read, vmas: list[tuple[int, int, bool]], *, validation: bool = False
    ) -> None:
        self.read = read
        self.vmas = vmas
        self.validation = validation
        self.records: list[Record] = []
        self.lines: list[str] = []
        self.fail_allocation = 0
        self.said: set[str] = set()
        self.row_start = 0
        """Address of the first byte of the row that was found last."""

    def say_once(self, text: str) -> None:
        if text not in self.said:
            self.said.add(text)
            self.lines.append(f"unwind_user: {text}")

    def say(self, text: str, *, named: bool = True) -> None:
        name = "/bin/prog: " if named else ""
        self.lines.append(f"sframe: prog (42): {name}{text}")

    def drain(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines

    def allocated(self) -> bool:
        if self.fail_allocation:
            self.fail_allocation -= 1
            return self.fail_allocation != 0
        return True

    # 3.1 -------------------------------------------------------------------------------

    def add(self, sframe_start: int, sframe_end: int, text_start: int, text_end: int) -> int:
        if sframe_start >= sframe_end or text_start >= text_end:
            self.say("invalid sframe/text address", named=False)
            return -EINVAL
        if not any(s <= sframe_start < e and sframe_end <= e for s, e, _ in self.vmas):
            self.say(f"bad sframe address (0x{sframe_start:x} - 0x{sframe_end:x})", named=False)
            return -EINVAL
        if not any(s <= text_start < e and text_end <= e and x for s, e, x in self.vmas):
            self.say(f"bad text address (0x{text_start:x} - 0x{text_end:x})", named=False)
            return -EINVAL
        if not self.allocated():
            return -ENOMEM
        record = Record((sframe_start, sframe_end), (text_start, text_end))
        error = self.read_header(record)
        if error:
            self.say(
                f"SEC: sframe:0x{sframe_start:x}-0x{sframe_end:x}"
                f" text:0x{text_start:x}-0x{text_end:x}"
                " fdes:0x0-0x0 fres:0x0-0x0 ra_off:0 fp_off:0"
            )
            return -error
        if self.validation:
            error = self.validate(record)
            if error:
                return -error
        return self.insert(record)

    def insert(self, record: Record) -> int:
        for other in self.records:
            if record.text_start < other.text_end and other.text_start < record.text_end:
                self.say(
                    f"mtree_insert_range failed: text={record.text_start:x}-{record.text_end:x}"
                )
                return -EEXIST
        self.records.append(record)
        self.records.sort(key=lambda entry: entry.text_start)
        return 0

    # 2 ---------------------------------------------------------------------------------

    def read_header(self, record: Record) -> int:
        raw = self.read(record.sframe_start, 28)
        if raw is None:
            self.say("header usercopy failed")
            return EFAULT
        magic, version, flags = struct.unpack_from("<HBB", raw, 0)
        fp_off, ra_off, auxiliary = struct.unpack_from("<bbB", raw, 5)
        num_fdes, num_fres, fre_len, fdeoff, freoff = struct.unpack_from("<5I", raw, 8)
        if magic != 0xDEE2 or version != 3 or not flags & 1 or not flags & 4 or auxiliary != 0:
            self.say("bad/unsupported sframe header")
            return EINVAL
        if num_fdes == 0 or num_fres == 0:
            self.say("no FDE/FRE entries")
            return EINVAL
        header_end = record.sframe_start + 28
        if not header_end < record.sframe_end:
            self.say("header doesn't fit in section")
            return EINVAL
        fdes_start = header_end + fdeoff
        fdes_end = fdes_start + 16 * num_fdes
        fres_start = header_end + freoff
        fres_end = fres_start + fre_len
        if fres_start < fdes_end or fres_end > record.sframe_end:
            self.say("inconsistent FDE/FRE offsets")
            return EINVAL
        record.fdes_start, record.num_fdes = fdes_start, num_fdes
        record.fres_start, record.fres_end = fres_start, fres_end
        record.ra_off, record.fp_off = ra_off, fp_off
        return 0

    # 3.2, 3.5 --------------------------------------------------------------------------

    def remove(self, sframe_start: int) -> int:
        gone = [record for record in self.records if record.sframe_start == sframe_start]
        self.records = [record for record in self.records if record not in gone]
        return 0 if gone else -EINVAL

    def fork(self) -> "tuple[int, PlainKernel | None]":
        child = PlainKernel(self.read, self.vmas, validation=self.validation)
        for _ in self.records:
            if not self.allocated():
                return -ENOMEM, None
        child.records = list(self.records)  # nothing changes a record once it is inserted
        return 0, child

    # 6 ---------------------------------------------------------------------------------

    def find(self, ip: int) -> tuple[int, Json]:
        for record in self.records:
            if record.text_start <= ip < record.text_end:
                break
        else:
            return -ENOENT, None
        try:
            return 0, self.look_up(record, ip)
        except FailedError as failed:
            if failed.errno != ENOENT:
                self.say("removing bad .sframe section")
                self.remove(record.sframe_start)
            return -failed.errno, None

    def number(self, address: int, size: int, *, signed: bool = False) -> int:
        raw = self.read(address, size)
        if raw is None:
            raise FailedError(EFAULT)
        return int.from_bytes(raw, "little", signed=signed)

    def look_up(self, record: Record, ip: int) -> Json:
        # 6.1
        low, high = record.fdes_start, record.fdes_start + 16 * (record.num_fdes - 1)
        lo_addr, hi_addr = 0, U64
        found = None
        while low <= high:
            mid = low + 16 * ((high - low) // 16 // 2)
            start = (mid + self.number(mid, 8, signed=True)) & U64
            if ip >= start:
                if start < lo_addr:
                    raise FailedError(EINVAL)
                lo_addr, found, low = start, mid, mid + 16
            else:
                if start > hi_addr:
                    raise FailedError(EINVAL)
                hi_addr, high = start, mid - 16
        if found is None:
            raise FailedError(ENOENT)
        fde = self.read_fde(record, found)
        if ip < fde["start"] or ip >= (fde["start"] + fde["size"]) & U64:
            raise FailedError(ENOENT)
        return self.search_rows(record, fde, ip)

    def read_fde(self, record: Record, entry: int) -> dict[str, int]:
        # 6.2
        raw = self.read(entry, 16)
        if raw is None:
            raise FailedError(EFAULT)
        offset, size, attributes = struct.unpack("<qII", raw)
        start = (entry + offset) & U64
        if start < record.text_start or (start + size) & U64 > record.text_end:
            raise FailedError(EFAULT)
        address = record.fres_start + attributes
        if address + 5 > record.fres_end:
            raise FailedError(EFAULT)
        raw = self.read(address, 5)
        if raw is None:
            raise FailedError(EFAULT)
        count, info, info2, repetition = struct.unpack("<HBBB", raw)
        mask = info >> 4 & 1
        if mask and repetition == 0:
            raise FailedError(EINVAL)
        if count > size:
            raise FailedError(EINVAL)
        return {
            "start": start, "size": size, "fda_off": attributes, "fres": address + 5,
            "count": count, "info": info, "info2": info2, "rep": repetition,
            "fre_type": info & 15, "mask": mask, "fde_type": info2 & 31,
        }  # fmt: skip

    # 7.1, 7.2 --------------------------------------------------------------------------

    def search_rows(self, record: Record, fde: dict[str, int], ip: int) -> Json:
        off = (ip - fde["start"]) & U32
        if fde["mask"]:
            off %= fde["rep"]
        address = fde["fres"]
        match = None
        for _ in range(fde["count"]):
            row = self.read_row(record, fde, address)
            if match is not None and row["start"] <= match["start"]:
                raise FailedError(EINVAL)
            if row["start"] > off:
                break
            match = row
            address += row["size"]
        if match is None:
            raise FailedError(EINVAL)
        self.row_start = fde["start"] + match["start"]
        return self.rules(self.data_words(record, fde, match))

    def read_row(self, record: Record, fde: dict[str, int], address: int) -> dict[str, int]:
        if fde["fre_type"] not in {0, 1, 2}:
            raise FailedError(EINVAL)
        size = (1, 2, 4)[fde["fre_type"]]
        if address + size + 1 > record.fres_end:
            raise FailedError(EFAULT)
        start = self.number(address, size)
        if start >= (fde["rep"] if fde["mask"] else fde["size"]):
            raise FailedError(EINVAL)
        info = self.number(address + size, 1)
        code = info >> 5 & 3
        if code == 3:
            raise FailedError(EINVAL)
        word, count = (1, 2, 4)[code], info >> 1 & 15
        total = size + 1 + word * count
        if address + total > record.fres_end:
            raise FailedError(EFAULT)
        return {
            "start": start, "size": total, "words": address + size + 1,
            "word": word, "count": count, "sp": info & 1,
        }  # fmt: skip

    # 7.3-7.5 ---------------------------------------------------------------------------

    def data_words(
        self, record: Record, fde: dict[str, int], row: dict[str, int]
    ) -> tuple[int, int, int, int, int, int] | None:
        """Control word and offset of CFA, RA and FP; None if outermost."""
        if row["count"] == 0:
            return None
        taken = 0

        def left() -> int:
            return row["count"] - taken

        def word(*, signed: bool) -> int:
            nonlocal taken
            taken += 1
            return self.number(row["words"] + (taken - 1) * row["word"], row["word"], signed=signed)

        ra_off, fp_off = record.ra_off, record.fp_off
        if fde["fde_type"] == 0:
            cfa_off = word(signed=True)
            if ra_off == 0 and left():
                ra_off = word(signed=True)
            if fp_off == 0 and left():
                fp_off = word(signed=True)
            if left():
                raise FailedError(EINVAL)
            base = (7 if row["sp"] else 6) << 3 | 1
            return base, cfa_off, 2 if ra_off else 0, ra_off, 2 if fp_off else 0, fp_off
        if fde["fde_type"] != 1 or left() < 2:
            raise FailedError(EINVAL)
        cfa_control, cfa_off = word(signed=False), word(signed=True)
        pairs = [2 if ra_off else 0, ra_off, 2 if fp_off else 0, fp_off]
        for which in (0, 2):
            if left() >= 2:
                control = word(signed=False)
                if control:
                    pairs[which : which + 2] = control, word(signed=True)
        if left():
            raise FailedError(EINVAL)
        return cfa_control, cfa_off, *pairs  # type: ignore[return-value]  # four by construction

    def rules(self, words: tuple[int, int, int, int, int, int] | None) -> Json:
        if words is None:
            return {"outermost": True}
        control, offset, *others = words
        if control & 4 or not control & 1:
            raise FailedError(EINVAL)
        number = control >> 3 & 31
        cfa: Json = {"base": {7: "SP", 6: "FP"}.get(number, "REG")}
        cfa |= {"offset": offset, "deref": bool(control & 2)}
        if number not in {6, 7}:
            cfa["reg"] = number
        values = []
        for control, offset in (others[:2], others[2:]):
            if control == 0 and offset == 0:
                values.append({"base": "RETAIN"})
                continue
            if control & 4:
                raise FailedError(EINVAL)
            value: Json = {"base": "REG" if control & 1 else "CFA"}
            value |= {"offset": offset, "deref": bool(control & 2)}
            if control & 1:
                value["reg"] = control >> 3 & 31
            values.append(value)
        return {"outermost": False, "cfa": cfa, "ra": values[0], "fp": values[1]}

    # 10 --------------------------------------------------------------------------------

    def validate(self, record: Record) -> int:
        previous = 0
        for i in range(record.num_fdes):
            try:
                fde = self.read_fde(record, record.fdes_start + 16 * i)
            except FailedError as failed:
                self.say(f"safe_read_fde({i}) failed")
                return failed.errno
            if fde["start"] <= previous:
                self.say(f"FDE {i} not sorted")
                return EINVAL
            previous = fde["start"]
            error = self.validate_rows(record, fde, i)
            if error:
                return error
        return 0

    def validate_rows(self, record: Record, fde: dict[str, int], i: int) -> int:
        address, last = fde["fres"], None
        for j in range(fde["count"]):
            reading = "safe_read_fre"
            try:
                row = self.read_row(record, fde, address)
                reading = "safe_read_fre_datawords"
                self.data_words(record, fde, row)
            except FailedError as failed:
                self.say(f"FDE {i}: {reading}({j}) failed")
                self.say(
                    "FDE: "
                    + " ".join(
                        f"{name}:{'0' if value == 0 else hex(value)}"
                        for name, value in (
                            ("func_addr", fde["start"]),
                            ("func_size", fde["size"]),
                            ("fda_off", fde["fda_off"]),
                            ("fres_off", fde["fres"] - record.fres_start),
                        )
                    )
                    + f" fres_num:{fde['count']} info:{fde['info']} info2:{fde['info2']}"
                    f" rep_size:{fde['rep']}"
                )
                return failed.errno
            if last is not None and row["start"] <= last:
                self.say(f"FDE {i}: FRE {j} not sorted")
                return EINVAL
            last = row["start"]
            address += row["size"]
        return 0

    # 9 ---------------------------------------------------------------------------------

    def start(self, ip: int, registers: list[int]) -> Json:
        """The state of a walk before its first step, in the vectors' shape."""
        return {
            "ret": 0, "ip": ip, "sp": registers[7], "fp": registers[6], "current_type": 0,
            "available": 3 if self.records else 2, "topmost": True, "done": False,
        }  # fmt: skip

    def step(self, state: Json, registers: list[int], stack: Read, ws: int = 8) -> Json:
        """The state after one step."""
        if state["done"]:
            return state | {"ret": -EINVAL}
        failed = state | {"ret": -EINVAL, "current_type": 0, "done": True}
        if state["available"] & 1:
            ret, frame = self.find(state["ip"])
            if ret == 0:
                return self.evaluate(state, frame, registers, stack, ws, 1) or failed
        pointer: Json = {
            "outermost": False,
            "cfa": {"base": "FP", "offset": 2 * ws, "deref": False},
            "ra": {"base": "CFA", "offset": -ws, "deref": True},
            "fp": {"base": "CFA", "offset": -2 * ws, "deref": True},
        }
        return self.evaluate(state, pointer, registers, stack, ws, 2) or failed

    def evaluate(
        self, state: Json, frame: Json, registers: list[int], stack: Read, ws: int, kind: int
    ) -> Json:
        """8. The caller's state, or None for EINVAL."""
        if frame["outermost"]:
            return state | {"ret": 0, "current_type": kind, "done": True}
        sp, fp, topmost = state["sp"], state["fp"], state["topmost"]
        try:
            cfa = self.cfa(frame["cfa"], state, registers, stack, ws)
            if cfa <= (sp - 1) & U64 if topmost else cfa <= sp:
                return None
            if cfa % ws:
                return None
            if frame["ra"]["base"] == "RETAIN":
                if topmost:
                    self.say_once("unwind_user_get_ra_reg() not implemented")
                return None
            if frame["ra"]["base"] == "CFA" and not frame["ra"]["deref"]:
                self.say_once("UNWIND_USER_RULE_CFA_OFFSET invalid for RA")
                return None
            ra = self.value(frame["ra"], cfa, registers, stack, ws, topmost=topmost)
            if frame["fp"]["base"] == "CFA" and not frame["fp"]["deref"]:
                self.say_once("UNWIND_USER_RULE_CFA_OFFSET unsupported for FP")
                return None
            if frame["fp"]["base"] != "RETAIN":
                fp = self.value(frame["fp"], cfa, registers, stack, ws, topmost=topmost)
        except FailedError:
            return None
        return {
            "ret": 0, "ip": ra, "sp": cfa, "fp": fp, "current_type": kind,
            "available": state["available"], "topmost": False, "done": False,
        }  # fmt: skip

    def cfa(self, rule: Json, state: Json, registers: list[int], stack: Read, ws: int) -> int:
        if rule["base"] == "SP":
            base = state["sp"]
        elif rule["base"] == "FP":
            if state["fp"] < state["sp"]:
                raise FailedError(EINVAL)
            base = state["fp"]
        else:
            base = self.register(rule["reg"], registers, topmost=state["topmost"])
        address = (base + rule["offset"]) & U64
        return self.stack_word(stack, address, ws) if rule["deref"] else address

    def value(
        self, rule: Json, cfa: int, registers: list[int], stack: Read, ws: int, *, topmost: bool
    ) -> int:
        if rule["base"] == "REG":
            base = self.register(rule["reg"], registers, topmost=topmost)
            address = (base + rule["offset"]) & U64
            return self.stack_word(stack, address, ws) if rule["deref"] else address
        return self.stack_word(stack, (cfa + rule["offset"]) & U64, ws)

    @staticmethod
    def register(number: int, registers: list[int], *, topmost: bool) -> int:
        if not topmost or number > 15:
            raise FailedError(EINVAL)
        return registers[number]

    @staticmethod
    def stack_word(stack: Read, address: int, ws: int) -> int:
        raw = stack(address, ws)
        if raw is None:
            raise FailedError(EINVAL)
        return int.from_bytes(raw, "little")

    def walk(
        self, ip: int, registers: list[int], stack: Read, limit: int, ws: int = 8
    ) -> tuple[int, list[int]]:
        """9.3: the result and the recorded addresses."""
        if limit == 0:
            return -EINVAL, []
        state = self.start(ip, registers)
        addresses = []
        while not state["done"]:
            addresses.append(state["ip"])
            if len(addresses) == limit:
                break
            state = self.step(state, registers, stack, ws)
        return 0, addresses
