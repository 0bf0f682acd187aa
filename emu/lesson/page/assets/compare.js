// The true stack and what each unwinder makes of it, and a card for each unwinder.

const MOST_FRAMES = 40;

class ComparePanel {
  constructor(recording, choose, select) {
    this.recording = recording;
    this.select = select;
    this.holder = byId("compare");
    this.cards = new Map();
    const cards = byId("verdicts");
    for (const { key, name } of UNWINDERS) {
      const sign = element("span", { class: "card-sign", "aria-hidden": "true" });
      const word = element("span", { class: "card-word" });
      const text = element("span", { class: "card-text" });
      const card = element("button", {
        type: "button", role: "radio", class: "card", "aria-checked": "false",
        onclick: () => choose(key),
      }, sign, element("span", { class: "card-name" }, name, " ", word), text);
      this.cards.set(key, { card, sign, word, text });
      cards.append(card);
    }
  }

  // `same` tells steps apart at which anything but the topmost pc differs.
  show(frames, walks, key, k, same) {
    for (const [name, { card, sign, word, text }] of this.cards) {
      const walk = walks[name];
      const [mark, said, loud] = SIGNS[walk.verdict];
      card.className = `card ${["right", "gap", "wrong"][loud]}`;
      card.setAttribute("aria-checked", String(name === key));
      card.tabIndex = name === key ? 0 : -1;
      sign.textContent = mark;
      word.textContent = said;
      text.textContent = sentence(this.recording, name, walk, frames);
    }
    if (this.same === same) {
      const place = this.recording.place(frames[0].ip);
      for (const code of this.holder.querySelectorAll("tbody tr:first-child code")) {
        code.textContent = place;
      }
      return;
    }
    this.same = same;
    this.table(frames, walks, key, k);
  }

  table(frames, walks, key, k) {
    const longest = Math.max(frames.length, ...UNWINDERS.map((one) => walks[one.key].hops.length));
    const rows = [];
    const shown = Math.min(longest, MOST_FRAMES);
    for (let i = 0; i < shown; i++) {
      rows.push(element("tr", { class: i === k ? "here" : "" },
        element("th", { scope: "row" },
          element("button", { type: "button", class: "pick", "aria-current": i === k ? "true" : false,
            onclick: () => this.select(i) }, `${i}`)),
        element("td", {}, frames[i]
          ? element("code", {}, this.recording.place(frames[i].ip)) : ""),
        ...UNWINDERS.map((one) => this.cell(walks[one.key], i, frames, one.key === key))));
    }
    if (shown < longest) {
      rows.push(element("tr", {}, element("td", { colspan: 5 },
        `${plural(longest - shown, "more frame")}`)));
    }
    this.holder.replaceChildren(element("table", { class: "compare" },
      element("caption", { class: "quiet" }, "Frames of the true stack and of each walk"),
      element("thead", {}, element("tr", {},
        element("th", { scope: "col" }, "Frame"), element("th", { scope: "col" }, "Truth"),
        ...UNWINDERS.map((one) => element("th", { scope: "col",
          class: one.key === key ? "chosen" : "" }, one.name)))),
      element("tbody", {}, ...rows)));
  }

  cell(walk, i, frames, chosen) {
    const name = chosen ? "chosen " : "";
    const state = i ? walk.hops[i - 1] && walk.hops[i - 1].state : frames[0];
    if (!state) {
      const ended = walk.hops.length === i;
      const missing = frames[i];
      return element("td", { class: `${name}none` }, ended
        ? `${missing ? "\u2717 ended before" : "\u2713 ended"}` : "");
    }
    const place = this.recording.place(state.ip);
    if (walk.departs < 0 || i <= walk.departs) {
      return element("td", { class: `${name}right` }, "\u2713 ", element("code", {}, place));
    }
    const fields = i === walk.departs + 1 ? wrongFields(state, frames[i]) : [];
    return element("td", { class: `${name}wrong` }, "\u2717 ", element("code", {}, place), " ",
      element("span", { class: "why" }, i === walk.departs + 1
        ? (frames[i] ? `wrong ${fields.join(", ")}` : "beyond the end") : "astray"));
  }
}
