// The page: its state, the keys, the address, the theme.

const MOST_FORKS = 5;

class Walkthrough {
  constructor(data) {
    const recording = this.recording = new Recording(data);
    this.step = recording.data.opening;
    this.frame = 0;
    this.unwinder = data.unwinder;
    this.timeline = new Timeline(recording, byId("strips"), (step) => this.go({ step }));
    this.code = new CodePanel(recording);
    this.registers = new RegisterPanel(recording);
    this.stack = new StackPanel(recording, (frame) => this.go({ frame }));
    this.rows = new RowPanel(recording);
    this.unwind = new UnwindPanel(recording);
    this.compare = new ComparePanel(recording,
      (unwinder) => this.go({ unwinder, frame: null }), (frame) => this.go({ frame }));
    this.describe();
    this.controls();
    this.fromAddress() || this.go({ frame: null });
    window.addEventListener("hashchange", () => this.fromAddress());
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("beforeprint", () => this.stack.print(true));
    window.addEventListener("afterprint", () => this.stack.print(false));
  }

  describe() {
    const { data, count } = this.recording;
    const range = data.complete
      ? `all ${counted(count)} instructions`
      : `instructions ${counted(data.first)} to ${counted(data.first + count - 1)} of a longer run`;
    byId("about").textContent = `${data.process ? `process ${data.process}, ` : ""}${range}; policy ${
      data.policy}; ${data.ended || "the run ends here"}`;
    byId("forks").append(...data.forks.slice(0, MOST_FORKS).map((fork) => this.fork(fork)));
    const more = data.forks.length - MOST_FORKS;
    if (more > 0) byId("forks").append(element("li", {}, `and forks ${counted(more)} more`));
  }

  // Where a child went, which is recorded on a page of its own.
  fork([number, pid, step, ended]) {
    const here = step >= 0 && step < this.recording.count;
    const where = here
      ? element("button", { type: "button", class: "inline",
        onclick: () => this.go({ step, frame: null }) }, `at step ${counted(step)}`)
      : step < 0 ? "before these steps" : "later";
    return element("li", {}, `forks process ${number} (pid ${pid}) `, where,
      `${ended ? `: ${ended}` : ""}. Not on this page; `,
      element("code", {}, `emu walk --html FILE --process ${number}`), " records it.");
  }

  controls() {
    const { calls, returns } = this.timeline.moves;
    this.slider = byId("step");
    this.slider.max = String(this.recording.count - 1);
    this.slider.addEventListener("input", () => this.go({ step: Number(this.slider.value) }));
    this.frames = byId("frame");
    this.frames.addEventListener("input", () => this.go({ frame: Number(this.frames.value) }));
    const move = (direction, steps) => () => this.jump(steps(), direction);
    const errors = (loud) => () => this.timeline.errors(this.unwinder, loud);
    this.actions = [
      ["ArrowLeft", "\u2190", "one step back", () => this.go({ step: this.step - 1 }), "\u2190 step"],
      ["ArrowRight", "\u2192", "one step on", () => this.go({ step: this.step + 1 }), "step \u2192"],
      ["PageUp", "Page Up", "100 steps back", () => this.go({ step: this.step - 100 })],
      ["PageDown", "Page Down", "100 steps on", () => this.go({ step: this.step + 100 })],
      ["Home", "Home", "first step", () => this.go({ step: 0 })],
      ["End", "End", "last step", () => this.go({ step: this.recording.count - 1 })],
      ["C", "Shift C", "previous call", move(-1, () => calls), "\u2190 call"],
      ["c", "C", "next call", move(1, () => calls), "call \u2192"],
      ["R", "Shift R", "previous return", move(-1, () => returns), "\u2190 return"],
      ["r", "R", "next return", move(1, () => returns), "return \u2192"],
      ["E", "Shift E", "previous place where the unwinder errs", move(-1, errors(2)),
        "\u2190 error"],
      ["e", "E", "next place where the unwinder errs", move(1, errors(2)), "error \u2192"],
      ["G", "Shift G", "previous error or gap", move(-1, errors(1))],
      ["g", "G", "next error or gap", move(1, errors(1))],
      ["o", "O", "the place this page opened at",
        () => this.go({ step: this.recording.data.opening, frame: null }), "opening"],
      ["ArrowUp", "\u2191", "the caller\u2019s frame", () => this.go({ frame: this.frame + 1 })],
      ["ArrowDown", "\u2193", "the frame it called", () => this.go({ frame: this.frame - 1 })],
      ["1", "1", "SFrame", () => this.go({ unwinder: "sframe", frame: null })],
      ["2", "2", "frame pointers", () => this.go({ unwinder: "frame-pointers", frame: null })],
      ["3", "3", "DWARF", () => this.go({ unwinder: "dwarf", frame: null })],
      ["t", "T", "light or dark", () => this.theme()],
      ["?", "?", "these keys", () => this.help()],
    ];
    for (const [, keys, text, act, label] of this.actions) {
      if (label) {
        byId("moves").append(element("button", { type: "button", onclick: act, title: `${text} (${keys})` },
          label));
      }
    }
    byId("keys").append(element("table", { class: "keys" },
      element("caption", { class: "quiet" }, "Keys and what they do"),
      element("thead", { class: "quiet" }, element("tr", {}, element("th", { scope: "col" }, "Key"),
        element("th", { scope: "col" }, "Does"))),
      element("tbody", {}, ...this.actions.map(([, keys, text]) => element("tr", {},
        element("th", { scope: "row" }, element("kbd", {}, keys)), element("td", {}, text))))));
    byId("theme").addEventListener("click", () => this.theme());
    byId("help-open").addEventListener("click", () => this.help());
    this.restoreTheme();
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || byId("help").open) return;
    const target = event.target;
    const slides = target instanceof HTMLInputElement;
    const arrow = event.key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown"].includes(event.key);
    if (slides && target === this.frames && arrow) return;
    const scrolls = target instanceof HTMLElement && target.closest(".listing, .stack, .scroll");
    if (scrolls && arrow && event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    if (target instanceof HTMLElement && target.getAttribute("role") === "radio" && arrow) {
      const order = UNWINDERS.map((one) => one.key);
      const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (by) {
        event.preventDefault();
        const next = order[(order.indexOf(this.unwinder) + by + order.length) % order.length];
        this.go({ unwinder: next, frame: null });
        this.compare.cards.get(next).card.focus();
        return;
      }
    }
    const action = this.actions.find(([key]) => key === event.key);
    if (!action) return;
    event.preventDefault();
    action[3]();
  }

  jump(steps, direction) {
    const next = direction > 0
      ? steps[lastAtOrBelow(steps, this.step) + 1]
      : steps[lastAtOrBelow(steps, this.step - 1)];
    if (next === undefined) this.say(direction > 0 ? "None further on." : "None before.");
    else this.go({ step: next, frame: null });
  }

  // Any of step, frame (null: where the unwinder errs, else the topmost) and unwinder; shown in the next picture.
  go(change) {
    if ("step" in change) {
      this.step = Math.min(Math.max(change.step, 0), this.recording.count - 1);
    }
    if (change.unwinder) this.unwinder = change.unwinder;
    if ("frame" in change) this.frame = change.frame;
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.show();
    });
  }

  show() {
    const { recording, step, unwinder } = this;
    const frames = recording.frames(step);
    const walks = {};
    for (const { key } of UNWINDERS) walks[key] = recording.walk(key, step);
    const walk = walks[unwinder];
    const most = Math.max(frames.length, walk.hops.length) - 1;
    if (this.frame === null) this.frame = SIGNS[walk.verdict][2] > 1 ? walk.departs : 0;
    this.frame = Math.min(Math.max(this.frame, 0), most);
    const k = this.frame;
    const unwind = stepOf(recording, unwinder, walk, k, step);
    const true_ = frames[Math.min(k, frames.length - 1)];
    this.slider.value = String(step);
    this.frames.max = String(most);
    this.frames.value = String(k);
    byId("frame-label").textContent = `Frame ${k} of ${most}`;
    this.frames.setAttribute("aria-valuetext", `frame ${k} of ${most}, ${
      recording.functionName(true_.inside)}`);
    this.heading(step, walk, frames);
    this.code.show(true_.ip, true_.inside, k);
    this.registers.show(step);
    this.unwind.show(unwinder, walk, frames, k, unwind);
    this.stack.show(step, frames, Math.min(k, frames.length - 1), k < frames.length ? unwind : null);
    this.rows.show(unwinder, unwind);
    const parts = UNWINDERS.map(({ key }) => recording.unwinders[key])
      .flatMap((one) => [one.at[step], one.departs[step]]);
    this.compare.show(frames, walks, unwinder, k,
      [recording.callAt[step], ...parts, unwinder, k].join(" "));
    // What needs the layout comes last, and what changes it after all that, so that it is made once.
    const follow = [this.code.follow(), this.rows.follow(), this.stack.reveal(),
      this.stack.arrows()];
    follow.forEach((move) => move && move());
    this.timeline.place(step);
    this.toAddress();
  }

  heading(step, walk, frames) {
    const { recording } = this;
    const pc = recording.pc(step);
    const code = recording.instruction(pc);
    const source = recording.source(code);
    byId("place").textContent = recording.place(pc);
    byId("instruction").textContent = code ? code[2] : "";
    byId("position").textContent = `Step ${counted(step)} of ${counted(recording.count - 1)}`
      + `, instruction ${counted(recording.data.first + step)}, ${hex(pc)}${source ? `, ${source}` : ""}`
      + (recording.threaded ? `, thread ${recording.threads[step]}` : "");
    this.slider.setAttribute("aria-valuetext", `step ${step}, ${recording.place(pc)}`);
    const name = UNWINDERS.find((one) => one.key === this.unwinder).name;
    this.say(`Step ${step}, ${recording.place(pc)}. ${name} ${SIGNS[walk.verdict][1]}: ${
      sentence(recording, this.unwinder, walk, frames)}.`);
  }

  // Told once the reader pauses: a live region that changes at every step cannot be listened to.
  say(text) {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { byId("live").textContent = text; }, 400);
  }

  toAddress() {
    clearTimeout(this.linking);
    const { step, frame, unwinder } = this;
    this.linking = setTimeout(() => {
      history.replaceState(null, "", `#step=${step}&frame=${frame}&unwinder=${unwinder}`);
    }, 150);
  }

  fromAddress() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    if (!wanted.has("step") && !wanted.has("unwinder")) return false;
    const number = (name) => {
      const text = wanted.get(name);
      return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
    };
    const unwinder = UNWINDERS.find((one) => one.key === wanted.get("unwinder"));
    const step = number("step");
    this.go({ ...(step === null ? {} : { step }), frame: number("frame"),
      ...(unwinder ? { unwinder: unwinder.key } : {}) });
    return true;
  }

  theme() {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // Pages from files may have no storage; the choice then lasts as long as the page.
    }
    this.themed();
  }

  restoreTheme() {
    try {
      const kept = localStorage.getItem("theme");
      if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
    } catch {
      // As above.
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.themed());
    this.themed();
  }

  themed() {
    const chosen = document.documentElement.dataset.theme;
    const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    byId("theme").textContent = dark ? "Light" : "Dark";
    byId("theme").setAttribute("aria-pressed", String(dark));
    this.timeline.draw();
  }

  help() {
    byId("help").showModal();
  }
}

(async () => {
  try {
    const data = await unpacked(byId("recording").textContent);
    byId("walk").hidden = false;
    window.walkthrough = new Walkthrough(data);
    byId("loading").remove();
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    byId("loading").textContent = `This recording cannot be shown: ${error.message}`;
    throw error;
  }
})();
