// What one step of a walk was: the state it began with, the row, the numbers, the words read.

const POINTER_TERMS = [
  [RBP, 16, 0, "rbp+16"], [-1, -8, 1, "*(CFA-8)"], [-1, -16, 1, "*(CFA-16)"],
];
const OF_CFA = -1;
const RETAINED = -2;

// The state an unwinder holds in frame k: the registers at the top, what it recovered below.
function stateOf(recording, walk, k, step) {
  if (k === 0) {
    return { ip: recording.pc(step), sp: recording.register(RSP, step),
      fp: recording.register(RBP, step), interrupted: true };
  }
  const hop = walk.hops[k - 1];
  return hop ? hop.state : null;
}

// [function, row, terms] or [reason] for the address an unwinder looks up.
function lookedUp(recording, key, state) {
  if (key === "frame-pointers") return null;
  if (key === "sframe") return recording.data.sframe.found[state.ip] || null;
  const at = numberOf(state.ip);
  if (Number.isNaN(at)) return null;
  return recording.data.cfi.found[state.interrupted ? state.ip : textOf(at - 1)] || null;
}

function tablesOf(recording, key) {
  return key === "dwarf" ? recording.data.cfi : recording.data.sframe;
}

// Everything there is to say about the step from frame k, null if the walk never came there.
function stepOf(recording, key, walk, k, step) {
  const state = stateOf(recording, walk, k, step);
  const hop = walk.hops[k];
  if (!state || !hop) return null;
  const found = lookedUp(recording, key, state);
  let terms = found && found.length > 1 ? found[2] : null;
  if (hop.kind === "frame-pointer" || (hop.kind === "lost" && !terms && key !== "dwarf")) {
    terms = POINTER_TERMS;
  }
  const registers = (number) => {
    if (k === 0) return recording.register(number, step);
    if (number === RSP) return state.sp;
    return number === RBP ? state.fp : null;
  };
  const equations = hop.kind === "signal-frame" ? [] : equationsOf(terms, registers, hop);
  const reads = equations.filter((one) => one.loads && one.address !== null);
  return { state, hop, found, terms, equations, reads };
}

function equationsOf(terms, registers, hop) {
  if (!terms || !terms.length) return [];
  const next = hop.state;
  const results = next ? [hop.cfa || next.sp, next.ip, next.fp] : [null, null, null];
  const names = ["CFA", "RA", "FP"];
  let cfa = results[0];
  const equations = [];
  for (let i = 0; i < 3; i++) {
    const [base, offset, deref, text] = terms[i];
    const one = { name: names[i], rule: text, loads: Boolean(deref), base: null, offset,
      address: null, result: results[i], retained: base === RETAINED };
    if (base === OF_CFA) one.base = cfa;
    else if (base >= 0) one.base = registers(base);
    if (one.base !== null && one.base !== undefined) {
      const sum = BigInt.asUintN(64, BigInt(hex(one.base)) + BigInt(offset)).toString(16);
      if (one.loads) one.address = sum;
      else if (one.result === null) one.result = sum;
    }
    if (i === 0 && cfa === null && !one.loads) cfa = one.result;
    equations.push(one);
  }
  return equations;
}

// Fields of the state handed on from frame k that are not the true caller's.
function wrongFields(next, true_) {
  if (!next || !true_) return [];
  const fields = [];
  if (next.ip !== true_.ip) fields.push("pc");
  if (next.sp !== true_.sp) fields.push("rsp");
  if (next.fp !== true_.fp && true_.fpKnown) fields.push("rbp");
  return fields;
}

// One sentence about a walk, with the frame where it leaves the truth.
function sentence(recording, key, walk, frames) {
  const { departs, verdict, hops } = walk;
  if (departs < 0) {
    return frames.length === 1 ? "one frame, where the stack began"
      : `all ${frames.length} frames are right, and it ends where the stack began`;
  }
  const frame = frames[departs];
  const name = frame ? recording.functionName(frame.inside) : "";
  const at = `at frame ${departs}${name ? `, ${name}` : ""}`;
  const hop = hops[departs];
  const next = hop ? hop.state : null;
  const true_ = frames[departs + 1];
  if (verdict === "limit") return `right as far as it goes: ${plural(departs + 1, "frame")}`;
  if (verdict === "gap") {
    return next ? `${at}: no row; it follows rbp and goes astray` : `${at}: no row, no way on`;
  }
  if (!next) {
    if (hop && hop.kind === "outermost") return `${at}: it takes this for the last frame`;
    return `${at}: ${hop && hop.reason ? hop.reason : "it ends here"}`;
  }
  if (!true_) return `${at}: the stack began here, but it goes on`;
  const parts = wrongFields(next, true_).map((field) => {
    const [got, want] = { pc: [next.ip, true_.ip], rsp: [next.sp, true_.sp],
      rbp: [next.fp, true_.fp] }[field];
    if (field === "pc") return `returns to ${recording.place(got)}, not ${recording.place(want)}`;
    return `${field} is ${hex(got)}, the caller's is ${hex(want)}`;
  });
  return `${at}: ${parts.join("; ")}`;
}
