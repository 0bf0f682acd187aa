// One step of a walk: the row, the equations with numbers, what was read, the state handed on.

class UnwindPanel {
  constructor(recording) {
    this.recording = recording;
    this.holder = byId("unwind");
    this.handed = byId("handed");
  }

  show(key, walk, frames, k, unwind) {
    const recording = this.recording;
    const { name } = UNWINDERS.find((one) => one.key === key);
    this.handed.replaceChildren();
    if (!unwind) {
      this.holder.replaceChildren(element("p", { class: "caption" },
        `${name} never came to frame ${k}: its walk ended at frame ${walk.hops.length - 1}.`));
      return;
    }
    const astray = walk.departs >= 0 && k > walk.departs;
    const { state, hop, equations } = unwind;
    const true_ = frames[k + 1] || null;
    this.holder.replaceChildren(
      element("p", { class: "lead" }, element("span", { class: "badge" }, String(k)), " ",
        element("b", {}, recording.place(state.ip)),
        astray ? element("span", { class: "bad" }, " \u2717 astray: no frame of the true stack") : ""),
      this.facts(state, k),
      this.how(key, unwind),
      this.equations(equations, hop),
      hop.state ? this.next(hop.state, true_, astray) : this.end(hop, walk, k, frames));
    this.showHanded(hop, true_, astray, k);
  }

  facts(state, k) {
    const words = [`pc = ${hex(state.ip)}`, `rsp = ${hex(state.sp)}`, `rbp = ${hex(state.fp)}`];
    return element("p", { class: "facts" }, k === 0 ? "The registers: " : "Recovered: ",
      element("code", {}, words.join(", ")));
  }

  how(key, { hop, found, terms }) {
    if (key === "sframe" && terms === POINTER_TERMS) {
      return element("p", { class: "how" }, element("b", {}, "\u22ef No row: "),
        `${found ? found[0] : "nothing is known here"}. The kernel follows rbp instead.`);
    }
    if (hop.kind === "signal-frame") {
      return element("p", { class: "how" }, "The code is that of a signal\u2019s restorer: the "
        + "interrupted registers are read from the signal frame.");
    }
    if (found && found.length > 1) {
      const row = tablesOf(this.recording, key).functions[found[0]].rows[found[1]];
      return element("p", { class: "how" }, "The row in force: ",
        element("code", {}, row ? row[1] : ""));
    }
    if (terms && !found) return element("p", { class: "how" }, "Frame pointers, without a table.");
    return element("p", { class: "how" }, element("b", {}, "\u22ef No row: "),
      found ? found[0] : "nothing is known here");
  }

  equations(equations) {
    if (!equations.length) return "";
    return element("dl", { class: "equations" }, ...equations.flatMap((one) => {
      const parts = [];
      if (one.retained) {
        parts.push("unchanged");
      } else {
        parts.push(one.rule);
        if (one.base !== null && one.base !== undefined) {
          const sum = `${hex(one.base)}${signed(one.offset)}`;
          parts.push(one.loads ? `*(${sum})` : sum);
          if (one.loads) parts.push(`*(${hex(one.address)})`);
        }
      }
      if (one.result) parts.push(hex(one.result));
      const name = one.name === "RA" && one.result ? this.recording.named(one.result) : null;
      return [
        element("dt", {}, one.name),
        element("dd", {}, ...parts.map((part, i) =>
          element("span", { class: i === parts.length - 1 && one.result ? "result" : "term" },
            `= ${part} `)),
        name && name[0] ? element("span", { class: "note" }, `in ${this.recording.place(one.result)}`)
          : ""),
      ];
    }));
  }

  next(next, true_, astray) {
    const rows = [["pc", next.ip, true_ && true_.ip], ["rsp", next.sp, true_ && true_.sp],
      ["rbp", next.fp, true_ && true_.fp]];
    return element("table", { class: "next" },
      element("caption", {}, "Handed to the next frame"),
      element("thead", {}, element("tr", {}, header("Register", true),
        header("recovered"), header("Compared", true),
        header("true"))),
      element("tbody", {}, ...rows.map(([name, got, want]) => {
        const known = want !== null && !(name === "rbp" && !true_.fpKnown);
        const same = !known || got === want;
        const sign = astray ? "" : !known ? "?" : same ? "\u2713 same" : "\u2260 wrong";
        return element("tr", { class: astray || !known ? "" : same ? "right" : "wrong" },
          element("th", { scope: "row" }, name), element("td", { class: "value" }, hex(got)),
          element("td", { class: "sign" }, sign),
          element("td", { class: "value" }, known ? hex(want) : true_ ? "not known" : "no caller"));
      })));
  }

  end(hop, walk, k, frames) {
    const right = walk.departs < 0;
    const why = {
      outermost: "a row says that nothing called this function",
      refused: "there is a row, but it may not be used",
      lost: "nothing says where the caller is",
      limit: "as many frames as one walk records",
    }[hop.kind];
    const true_ = k + 1 < frames.length
      ? `${plural(frames.length - 1 - k, "true frame")} missing` : "the stack began here";
    return element("p", { class: `end ${right ? "right" : "wrong"}` },
      element("b", {}, right ? "\u2713 The walk ends here: " : "\u2717 The walk ends here: "),
      `${why}${hop.reason ? ` (${hop.reason})` : ""}. ${right ? "Right: the stack began here."
        : walk.departs < k ? "It had left the truth before." : `Wrong: ${true_}.`}`);
  }

  // The three values beside the picture of the stack: at a glance, which is not the caller's.
  showHanded(hop, true_, astray, k) {
    if (!hop.state || astray) return;
    const wrong = wrongFields(hop.state, true_);
    const said = ["pc", "rsp", "rbp"].map((name) => {
      const bad = !true_ || wrong.includes(name);
      return element("span", { class: `chip ${bad ? "bad" : "good"}` },
        element("b", {}, bad ? "\u2260" : "="), ` ${name}`);
    });
    this.handed.append(element("span", { class: "quiet-label" },
      `What frame ${k} hands to frame ${k + 1}:`), ...said);
    const shout = wrong.length
      ? `the recovered ${wrong.join(" and ")} ${wrong.length > 1 ? "are" : "is"} not the caller\u2019s`
      : true_ ? "" : "there is no caller";
    if (shout) this.handed.append(element("strong", { class: "shout" }, `\u2717 ${shout}`));
  }
}
