// The rows of the function of a frame, the one in force marked.

class RowPanel {
  constructor(recording) {
    this.recording = recording;
    this.holder = byId("rows");
    this.way = byId("way");
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
    if (!found || found.length < 2) {
      this.say(`No row of ${table}: ${found ? found[0] : "nothing is known at this address"}.`);
      return;
    }
    const [number, inForce, , way] = found;
    const one = tablesOf(this.recording, key).functions[number];
    const wanted = `${key} ${number}`;
    if (this.shown !== wanted) {
      this.shown = wanted;
      this.rows = one.rows.map(([start, rules, bytes]) => element("tr", {},
        element("td", { class: "mark" }), element("td", { class: "value" }, `+0x${textOf(start)}`),
        element("td", {}, element("code", {}, rules)),
        element("td", { class: "value bytes" }, bytes)));
      // Its first instruction may never have been executed: it has no name of its own then.
      const code = this.recording.functionAt(one.start);
      const name_ = (code && code.name) || this.recording.functionName(one.start);
      this.holder.replaceChildren(element("table", { class: "rows" },
        element("caption", {}, `${table} of ${name_}: ${plural(one.rows.length + one.more, "row")}${
          one.kind ? `; ${one.kind}` : ""}${one.more ? `; the last ${one.more} are left out` : ""}`),
        element("thead", {}, element("tr", {},
          header("In force", true), header("from"), header("rules"),
          header("bytes", key !== "sframe", "bytes"))),
        element("tbody", {}, ...this.rows)));
      this.here = null;
    }
    this.showWay(key, way);
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
  }

  follow() {
    return scrolledTo(this.here, this.holder);
  }

  // How the kernel's search came to the row, and the row's bytes field by field.
  showWay(key, number) {
    const way = number >= 0 ? tablesOf(this.recording, key).ways[number] : null;
    if (this.shownWay === way) return;
    this.shownWay = way;
    this.way.replaceChildren();
    if (!way) return;
    const looks = way.probes.map(([index, place, below], i) => {
      const last = i === way.probes.length - 1;
      return element("li", {}, element("code", {}, `FDE ${index}`), ` ${place} begins ${
        below ? "at or below: look above" : "above: look below"}${last ? ", and that was all" : ""}`);
    });
    const fields = (title, list) => list.map(([bytes, name, meaning], i) => element("tr", {},
      element("td", { class: "value" }, bytes),
      element("th", { scope: "row" }, i ? "" : element("span", { class: "part" }, title), name),
      element("td", {}, meaning)));
    this.way.append(
      element("h3", {}, "The bytes of the row"),
      element("table", { class: "fields" },
        element("caption", { class: "quiet" }, "Bytes and what they say"),
        element("thead", { class: "quiet" }, element("tr", {},
          element("th", { scope: "col" }, "Bytes"), element("th", { scope: "col" }, "Field"),
          element("th", { scope: "col" }, "Meaning"))),
        element("tbody", {}, ...fields("row: ", way.row), ...fields("function: ", way.attributes),
          ...fields("index: ", way.entry))),
      element("h3", {}, `The search among ${plural(way.index, "function")}`),
      element("ol", { class: "looks" }, ...looks));
  }

  say(text) {
    this.shown = null;
    this.showWay("sframe", -1);
    this.here = null;
    this.holder.replaceChildren(element("p", { class: "caption" }, text));
  }
}
