// The rows of the function of a frame, the one in force marked.

class RowPanel {
  constructor(recording) {
    this.recording = recording;
    this.holder = byId("rows");
  }

  show(key, unwind) {
    const { name, table } = UNWINDERS.find((one) => one.key === key);
    if (!unwind) {
      this.say(`${name} never came to this frame.`);
      return;
    }
    if (!table) {
      this.say("Frame pointers need no table. The same three rules hold everywhere: "
        + "CFA = rbp+16, RA = *(CFA-8), FP = *(CFA-16).");
      return;
    }
    const { found } = unwind;
    if (!found || found.length < 3) {
      this.say(`No row of ${table}: ${found ? found[0] : "nothing is known at this address"}.`);
      return;
    }
    const [number, inForce] = found;
    const one = tablesOf(this.recording, key).functions[number];
    const wanted = `${key} ${number}`;
    if (this.shown !== wanted) {
      this.shown = wanted;
      this.rows = one.rows.map(([start, rules, bytes]) => element("tr", {},
        element("td", { class: "mark" }), element("td", { class: "value" }, `+0x${textOf(start)}`),
        element("td", {}, element("code", {}, rules)),
        element("td", { class: "value bytes" }, bytes)));
      const name_ = this.recording.functionName(one.start);
      this.holder.replaceChildren(element("table", { class: "rows" },
        element("caption", {}, `${table} of ${name_}: ${plural(one.rows.length + one.more, "row")}${
          one.kind ? `; ${one.kind}` : ""}${one.more ? `; the last ${one.more} are left out` : ""}`),
        element("thead", {}, element("tr", {},
          element("th", { scope: "col" }, element("span", { class: "quiet" }, "In force")),
          element("th", { scope: "col" }, "from"), element("th", { scope: "col" }, "rules"),
          element("th", { scope: "col", class: "bytes" }, key === "sframe" ? "bytes" : ""))),
        element("tbody", {}, ...this.rows)));
      this.here = null;
    }
    if (this.here) {
      this.here.className = "";
      this.here.firstChild.textContent = "";
      this.here.removeAttribute("aria-current");
    }
    this.here = this.rows[inForce] || null;
    if (!this.here) return;
    this.here.className = "here";
    this.here.setAttribute("aria-current", "true");
    this.here.firstChild.textContent = "\u25b6 in force";
    const top = this.here.offsetTop;
    if (top < this.holder.scrollTop || top + 40 > this.holder.scrollTop + this.holder.clientHeight) {
      this.holder.scrollTop = top - this.holder.clientHeight / 2;
    }
  }

  say(text) {
    this.shown = null;
    this.here = null;
    this.holder.replaceChildren(element("p", { class: "caption" }, text));
  }
}
