// The registers of the thread, those that the last instruction changed marked.

const SHOWN_ORDER = [RIP, RSP, RBP, 0, 3, 2, 1, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];

class RegisterPanel {
  constructor(recording) {
    this.recording = recording;
    this.cells = new Map();
    const rows = SHOWN_ORDER.map((number) => {
      const value = element("td", { class: "value" });
      const note = element("td", { class: "note" });
      const row = element("tr", {},
        element("th", { scope: "row" }, REGISTERS[number]), value, note);
      this.cells.set(number, { row, value, note });
      return row;
    });
    byId("registers").append(element("table", { class: "registers" },
      element("caption", { class: "quiet" }, "Registers before the instruction"),
      element("thead", { class: "quiet" }, element("tr", {},
        element("th", { scope: "col" }, "Register"), element("th", { scope: "col" }, "Value"),
        element("th", { scope: "col" }, "Note"))),
      element("tbody", {}, ...rows)));
  }

  show(step) {
    for (const [number, { row, value, note }] of this.cells) {
      const text = this.recording.register(number, step);
      const changed = this.recording.registerChanged(number, step);
      row.className = changed ? "changed" : "";
      value.textContent = hex(text);
      const name = this.recording.named(text);
      note.textContent = `${changed ? "\u25cf changed " : ""}${
        name && name[0] ? this.recording.place(text) : ""}`;
    }
  }
}
