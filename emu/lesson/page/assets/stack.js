// The stack drawn as memory: frames coloured and labelled, arrows from its slots.

// Frames in the picture, those of them that are newer than the chosen one, words of a long frame.
const WIDE = { frames: 9, newer: 3, words: 12 };
const NARROW = { frames: 4, newer: 1, words: 8 };
const PAPER = { frames: 3, newer: 1, words: 6 };
const NARROW_WINDOW = "screen and (max-width: 760px)";
const DOING = { signal: "interrupted at", handler: "the handler returns to",
  switch: "goes on at" };

class StackPanel {
  constructor(recording, select) {
    this.recording = recording;
    this.holder = byId("stack");
    this.holder.addEventListener("click", ({ target }) => {
      const head = target.closest("[data-frame] > .frame-head");
      if (head) select(Number(head.parentElement.dataset.frame));
    });
    new ResizeObserver(() => this.arrows()?.()).observe(this.holder);
  }

  show(step, frames, selected, unwind) {
    this.context = { step, frames, selected, unwind };
    this.size = this.printing ? PAPER : matchMedia(NARROW_WINDOW).matches ? NARROW : WIDE;
    const shown = this.size;
    const first = Math.max(Math.min(selected - shown.newer, frames.length - shown.frames), 0);
    const last = Math.min(first + shown.frames, frames.length) - 1;
    this.targets = new Map();
    const blocks = [];
    if (last < frames.length - 1) {
      blocks.push(this.elided(`${plural(frames.length - 1 - last, "older frame")} above`));
    }
    for (let k = last; k >= first; k--) blocks.push(this.block(k));
    if (first > 0) blocks.push(this.elided(`${plural(first, "newer frame")} below`));
    else blocks.push(this.below());
    this.overlay = drawn("svg", { class: "arrows", "aria-hidden": "true" });
    this.holder.replaceChildren(...blocks, this.overlay);
  }

  // On paper the stack has a width of its own, which it must be drawn for before.
  print(printing) {
    this.printing = printing;
    document.documentElement.classList.toggle("printing", printing);
    const { step, frames, selected, unwind } = this.context;
    this.show(step, frames, selected, unwind);
    this.arrows()?.();
  }

  elided(text) {
    return element("p", { class: "elided" }, `\u22ee ${text}`);
  }

  // Scrolls so that the frame in question is seen, for the topmost one rsp at the bottom.
  reveal() {
    const { selected } = this.context;
    const holder = this.holder;
    const { scrollHeight, clientHeight } = holder;
    if (scrollHeight <= clientHeight) return null;
    const block = holder.querySelector(`[data-frame="${selected}"]`);
    const middle = block ? block.offsetTop - (clientHeight - block.offsetHeight) / 2 : 0;
    return () => { holder.scrollTop = selected === 0 ? scrollHeight : middle; };
  }

  // [lowest address, end] of a frame's words, and whether its caller's are on another stack.
  extent(k) {
    const { frames, step } = this.context;
    const low = numberOf(frames[k].sp);
    const end = this.recording.recordedEnd(low, step);
    if (k + 1 === frames.length) return [low, Math.min(end, low + 48), false];
    const high = numberOf(frames[k + 1].sp);
    // A popped return address leaves the topmost frame without a word.
    return high >= low && high <= end ? [low, high, false] : [low, Math.min(end, low + 4096), true];
  }

  block(k) {
    const { frames, selected } = this.context;
    const frame = frames[k];
    const [low, high, moved] = this.extent(k);
    const where = k === 0 || frame.kind === "signal" ? frame.ip : frame.inside;
    const head = element("div", { class: "frame-head" },
      element("span", { class: "badge" }, String(k)),
      element("b", { class: "frame-name" }, this.recording.functionName(frame.inside)),
      element("span", { class: "frame-note" },
        `${k === 0 ? "runs at" : this.doing(frame)} ${this.offset(where)}`));
    this.targets.set(`head ${k}`, head);
    const rows = [];
    if (k + 1 === frames.length) {
      rows.push(element("p", { class: "frame-end" }, "\u2504 here the stack began"));
    }
    if (moved) rows.push(element("p", { class: "frame-end" }, "\u2504 the frame above is on another stack"));
    for (const one of this.chosen(k, low, high)) {
      rows.push(typeof one === "number" ? this.row(k, one) : this.elided(one));
    }
    return element("div", {
      class: `frame colour${k % 6}${k === selected ? " selected" : ""}`, "data-frame": k,
      role: "group", "aria-label": `Frame ${k}, ${this.recording.functionName(frame.inside)}`,
    }, head, element("div", { class: "words" }, ...rows));
  }

  // A frame waits behind its call; what was pushed and jumped from is a call without one.
  doing(frame) {
    if (frame.kind !== "call") return DOING[frame.kind];
    if (frame.inside === frame.ip) return DOING.switch;
    const code = this.recording.instruction(frame.inside);
    return !code || code[2].startsWith("call") ? "calls at" : "left at";
  }

  offset(address) {
    const found = this.recording.named(address);
    return found && found[0] ? `+0x${textOf(found[1])}` : hex(address);
  }

  // Addresses of the words shown, from the highest down, with texts for what is left out.
  chosen(k, low, high) {
    const { step, unwind } = this.context;
    const count = Math.max(Math.ceil((high - low) / 8), 0);
    const all = Array.from({ length: Math.min(count, 8192) }, (_, i) => high - 8 * (i + 1));
    const most = this.size.words;
    if (all.length <= most) return all;
    const wanted = new Set([...all.slice(0, Math.floor(most * .4)), ...all.slice(-3)]);
    for (const address of this.notable()) wanted.add(address);
    if (unwind) {
      for (const read of unwind.reads) wanted.add(numberOf(read.address));
    }
    for (const address of all) {
      if (wanted.size < 24 && this.recording.wordChanged(address, step)) wanted.add(address);
    }
    const shown = [];
    let skipped = 0;
    for (const address of all) {
      if (wanted.has(address)) {
        if (skipped) shown.push(plural(skipped, "word"));
        skipped = 0;
        shown.push(address);
      } else skipped += 1;
    }
    return shown;
  }

  // Words that arrows lead to or come from.
  notable() {
    const { frames, step } = this.context;
    const addresses = [];
    frames.slice(0, 40).forEach((frame, k) => {
      addresses.push(numberOf(frame.fp), numberOf(frame.sp));
      const slot = this.fpSlot(k, step);
      if (slot !== null) addresses.push(slot);
    });
    const wrong = this.handedOn();
    if (wrong) addresses.push(numberOf(wrong.fp), numberOf(wrong.sp));
    return addresses;
  }

  handedOn() {
    const { unwind } = this.context;
    return unwind && unwind.hop.state;
  }

  // Where frame k keeps its caller's rbp, by the row of .eh_frame or .sframe.
  fpSlot(k, step) {
    const { frames } = this.context;
    const frame = frames[k];
    if (frame.slot === null || k + 1 >= frames.length) return null;
    const state = { ip: frame.ip, interrupted: k === 0 || frame.kind === "signal" };
    for (const key of ["dwarf", "sframe"]) {
      const found = lookedUp(this.recording, key, state);
      if (found && found.length > 1 && found[2].length) {
        const [base, offset, deref] = found[2][2];
        if (base !== OF_CFA || !deref) continue;
        const address = frame.slot + 8 + offset;
        if (this.recording.word(address, step) === frames[k + 1].fp) return address;
      }
    }
    return null;
  }

  row(k, address) {
    const { step, frames, unwind } = this.context;
    const recording = this.recording;
    const value = recording.word(address, step);
    const frame = frames[k];
    const signs = [];
    const pointers = [];
    if (numberOf(frames[0].sp) === address) pointers.push("rsp");
    if (numberOf(frames[0].fp) === address) pointers.push("rbp");
    let kind = "";
    let note = "";
    if (frame.slot === address && value !== null
      && k + 1 < frames.length && frames[k + 1].kind !== "signal") {
      kind = "RA";
      const place = recording.place(frames[k + 1].ip);
      if (place !== hex(value)) note = `\u2192\u00a0${place}`;
    } else if (this.fpSlot(k, step) === address) {
      kind = "FP";
      note = "saved rbp";
    }
    if (recording.wordChanged(address, step)) signs.push(["\u25cf", "changed", ""]);
    const reads = unwind
      ? unwind.reads.filter((one) => numberOf(one.address) === address) : [];
    if (kind === "FP" && reads.length) note = "";
    for (const read of reads) signs.push(["\u25c2", "read as", ` ${read.name}`]);
    const row = element("div", {
      class: `word${kind ? ` ${kind.toLowerCase()}` : ""}${reads.length ? " read" : ""}${
        recording.wordChanged(address, step) ? " changed" : ""}`,
    },
    element("span", { class: "pointers" }, pointers.join(" ") + (pointers.length ? " \u2192" : "")),
    element("span", { class: "address", title: hex(textOf(address)) },
      `\u2026${textOf(address).slice(-4)}`),
    element("span", { class: "kind" }, kind),
    element("span", { class: "value" }, value === null ? "not recorded" : hex(value)),
    element("span", { class: "note", title: note || null },
      ...signs.map(([sign, word, what]) => element("span", { class: "sign", title: word + what },
        sign, element("span", { class: "quiet" }, ` ${word}`), `${what} `)), note));
    this.targets.set(address, row);
    return row;
  }

  // Words below rsp that a rule reads, or that were just popped.
  below() {
    const { step, frames, unwind, selected } = this.context;
    const low = numberOf(frames[0].sp);
    const wanted = new Set([low - 8]);
    if (selected === 0 && unwind) {
      for (const read of unwind.reads) {
        const address = numberOf(read.address);
        if (address < low && address >= low - 128) {
          for (let at = low - 8; at >= address && wanted.size < 17; at -= 8) wanted.add(at);
        }
      }
    }
    const rows = [...wanted].sort((a, b) => b - a)
      .filter((address) => this.recording.word(address, step) !== null)
      .map((address) => this.row(0, address));
    return element("div", { class: "frame free", role: "group", "aria-label": "Below rsp" },
      element("div", { class: "frame-head" },
        element("span", { class: "frame-note" }, "below rsp: no frame, still in memory")),
      element("div", { class: "words" }, ...rows));
  }

  // Arrows: return addresses to their frames, saved rbp to where it points, and at the frame in
  // question the caller's rbp, the true one and the one recovered.
  arrows() {
    if (!this.context || !this.overlay) return null;
    const { frames, step, selected } = this.context;
    const overlay = this.overlay;
    const width = this.holder.clientWidth;
    const last = [...this.holder.querySelectorAll(".frame")].pop();
    const height = last.offsetTop + last.offsetHeight;
    // Rows are positioned in their frame, frames in the holder.
    const y = (row) => row.offsetTop + row.offsetHeight / 2
      + (row.offsetParent === this.holder ? 0 : row.offsetParent.offsetTop);
    const margin = width - this.margin(width);
    const paths = [];
    for (let k = 0; k + 1 < frames.length; k++) {
      const slot = this.targets.get(frames[k].slot);
      const head = this.targets.get(`head ${k + 1}`);
      if (slot && head && slot.classList.contains("ra")) {
        paths.push(arc("ra", margin, y(slot), y(head), 16, k));
      }
      const saved = this.targets.get(this.fpSlot(k, step));
      const target = this.targets.get(numberOf(frames[k + 1].fp));
      if (saved && target && saved !== target && k !== selected) {
        paths.push(arc("fp", margin, y(saved), y(target), 30 + 6 * (k % 3), k));
      }
    }
    const parts = [...paths, ...this.handedArrows(margin, width, y)];
    return () => {
      overlay.setAttribute("width", width);
      overlay.setAttribute("height", height);
      overlay.replaceChildren(arrowHeads(), ...parts);
    };
  }

  // Where the middle of a word is, null if it is not in the picture.
  middle(address, y) {
    const row = this.targets.get(address);
    return row ? y(row) : null;
  }

  margin(width) {
    return width < 560 && this.size === NARROW ? 58 : 136;
  }

  // Where the true caller's rbp points and, if they are others, the recovered rbp and rsp.
  handedArrows(margin, width, y) {
    const { frames, selected } = this.context;
    const true_ = frames[selected + 1];
    const got = this.handedOn();
    const head = this.targets.get(`head ${selected}`);
    if (!true_ || !got || !head) return [];
    const from = y(head);
    const wrong = wrongFields(got, true_);
    const lanes = width - margin > 100 ? [30, 60, 92, 124] : [14, 22, 34, 46];
    const arrow = (name, value, good, lane, dy) =>
      handedArrow({ name, value, good, dy, from, margin, width, lane: margin + lane,
        to: this.middle(numberOf(value), y) });
    const parts = [];
    if (true_.fpKnown && (wrong.includes("rbp") || this.targets.has(numberOf(true_.fp)))) {
      parts.push(...arrow("rbp", true_.fp, true, lanes[1], wrong.includes("rbp") ? -7 : 0));
    }
    if (wrong.includes("rsp")) {
      parts.push(...arrow("rsp", true_.sp, true, lanes[0], -3),
        ...arrow("rsp", got.sp, false, lanes[3], 11));
    }
    if (wrong.includes("rbp")) parts.push(...arrow("rbp", got.fp, false, lanes[2], 7));
    return parts;
  }
}
