// Source and disassembly of the function of a frame, the instruction in question marked.

const PART = 60;

class CodePanel {
  constructor(recording) {
    this.recording = recording;
    this.source = byId("source");
    this.code = byId("code");
    this.shownFile = null;
    this.shownFunction = null;
  }

  // `address` is the pc or a return address; `inside` lies in the frame's function.
  show(address, inside, frame) {
    const found = this.recording.functionAt(inside);
    const line = this.recording.instruction(frame ? inside : address);
    this.showSource(line);
    this.showCode(found, address, inside, frame);
  }

  showSource(line) {
    const file = line && line[3] >= 0 ? line[3] : -1;
    const known = file >= 0 ? this.recording.data.sources[file] : null;
    const lines = known && known.text !== null ? known.text.split("\n") : null;
    const near = lines ? Math.floor(line[4] / PART) : 0;
    const wanted = `${file}/${near}`;
    this.source.hidden = !known;
    if (!known) return;
    if (this.shownFile !== wanted) {
      this.shownFile = wanted;
      this.lines = new Map();
      const caption = element("p", { class: "caption" }, known.name,
        lines ? "" : ": the file is not here, only its line numbers are known");
      this.current = element("p", { class: "caption strong" });
      this.source.replaceChildren(caption, ...(lines ? this.numbered(lines, near) : [this.current]));
    }
    if (!lines) this.current.textContent = `line ${line[4]}`;
    this.mark(this.lines.get(line[4]), "sourceHere");
  }

  numbered(lines, near) {
    const from = Math.max((near - 1) * PART, 0);
    return lines.slice(from, (near + 2) * PART).map((text, i) => {
      const row = element("div", { class: "line" },
        element("span", { class: "number" }, String(from + i + 1)),
        element("span", { class: "text" }, text || " "));
      this.lines.set(from + i + 1, row);
      return row;
    });
  }

  showCode(found, address, inside, frame) {
    if (!found) {
      this.shownFunction = null;
      this.code.replaceChildren(element("p", { class: "caption" },
        `No code is known at ${hex(address)}.`));
      return;
    }
    const at = (frame ? numberOf(inside) : numberOf(address)) - found.from;
    const near = Math.floor(found.code.findIndex(([offset]) => offset >= at) / PART);
    if (this.shownFunction !== found || this.shownPart !== near) {
      this.shownFunction = found;
      this.shownPart = near;
      this.rows = new Map();
      const name = found.name || hex(found.start);
      const from = Math.max((near - 1) * PART, 0);
      const part = found.code.slice(from, (near + 2) * PART);
      let expected = from ? -1 : 0;
      const rows = [];
      for (const [offset, bytes, text] of part) {
        if (offset !== expected) rows.push(element("div", { class: "line cut" }, "\u22ee"));
        expected = offset + bytes.length / 2;
        const row = element("div", { class: "line" },
          element("span", { class: "pointer", "aria-hidden": "true" }),
          element("span", { class: "number" }, `+${textOf(offset)}`),
          element("span", { class: "bytes" }, bytes.replace(/../g, "$& ").trim()),
          element("span", { class: "text" }, text));
        this.rows.set(offset, row);
        rows.push(row);
      }
      this.code.replaceChildren(element("p", { class: "caption" }, name,
        found.module ? ` in ${found.module}` : ""), ...rows,
      from + part.length < found.code.length ? element("div", { class: "line cut" }, "\u22ee") : "");
    }
    this.mark(this.rows.get(at), "codeHere");
  }

  mark(row, name) {
    const before = this[name];
    if (before && before !== row) {
      before.classList.remove("here");
      before.removeAttribute("aria-current");
    }
    this[name] = row;
    if (!row) return;
    row.classList.add("here");
    row.setAttribute("aria-current", "step");
  }

  // Reads where the marked lines are; the function returned scrolls to them.
  follow() {
    const moves = [scrolledTo(this.sourceHere, this.source), scrolledTo(this.codeHere, this.code)];
    return () => moves.forEach((move) => move && move());
  }
}
