// Strips along the execution: how deep the stack is, and where each unwinder errs.

class Timeline {
  constructor(recording, holder, go) {
    this.recording = recording;
    this.go = go;
    this.strips = [];
    this.groups = {};
    holder.append(this.strip("depth", "Depth", this.depthText(), 40));
    for (const { key, name } of UNWINDERS) {
      holder.append(this.strip(key, name, this.counts(key, true), 16, this.counts(key, false)));
      this.groups[key] = this.findGroups(key);
    }
    this.cursor = element("div", { class: "cursor", "aria-hidden": "true" });
    holder.append(this.cursor);
    this.holder = holder;
    this.moves = this.findMoves();
    new ResizeObserver(() => this.draw()).observe(holder);
  }

  strip(key, name, text, height, short = text) {
    const canvas = element("canvas", { class: "strip", role: "img", height,
      "aria-label": `${name} along the execution: ${text}` });
    const point = (event) => {
      const box = canvas.getBoundingClientRect();
      const part = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
      this.go(Math.round(part * (this.recording.count - 1)));
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      point(event);
    });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons) point(event); });
    this.strips.push({ key, canvas, height });
    return element("div", { class: `strip-row ${key}` },
      element("div", { class: "strip-name" }, element("b", {}, name), " ",
        element("span", { class: "strip-text", title: text }, short)),
      canvas);
  }

  depthText() {
    return `up to ${plural(this.recording.depths.reduce((a, b) => Math.max(a, b), 0) + 1, "frame")}`;
  }

  // How many steps have each verdict, the worst first; with words or with signs alone.
  counts(key, words) {
    const counts = new Array(VERDICTS.length).fill(0);
    for (const verdict of this.recording.unwinders[key].verdicts) counts[verdict] += 1;
    return VERDICTS.map((name, i) => [...SIGNS[name], counts[i]])
      .filter(([, , , count]) => count)
      .sort(([, , one], [, , other]) => other - one)
      .map(([sign, word, , count]) => `${sign} ${counted(count)}${words ? ` ${word}` : ""}`)
      .join(words ? ", " : "  ");
  }

  // Starts of stretches in which an unwinder errs alike: [step, loudness].
  findGroups(key) {
    const { verdicts, departs } = this.recording.unwinders[key];
    const { depths } = this.recording;
    const groups = [];
    let last = "";
    for (let step = 0; step < this.recording.count; step++) {
      const name = VERDICTS[verdicts[step]];
      const mark = name === "ok" ? "" : `${name} ${depths[step] - departs[step]}`;
      if (mark !== last && mark) groups.push([step, SIGNS[name][2]]);
      last = mark;
    }
    return groups;
  }

  // Steps that follow a call or a return.
  findMoves() {
    const calls = [];
    const returns = [];
    const { depths, threads } = this.recording;
    for (let step = 1; step < depths.length; step++) {
      if (threads[step] !== threads[step - 1]) continue;
      if (depths[step] > depths[step - 1]) calls.push(step);
      else if (depths[step] < depths[step - 1]) returns.push(step);
    }
    return { calls, returns };
  }

  errors(key, loudness) {
    return this.groups[key].filter(([, loud]) => loud >= loudness).map(([step]) => step);
  }

  draw() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    for (const { key, canvas, height } of this.strips) {
      const width = Math.max(canvas.clientWidth, 1);
      const ratio = window.devicePixelRatio || 1;
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      if (key === "depth") this.drawDepth(context, width, height, colour);
      else this.drawVerdicts(context, key, width, height, colour);
    }
  }

  // The greatest value among the steps behind each pixel.
  *pixels(width, at) {
    const { count } = this.recording;
    for (let x = 0; x < width; x++) {
      const from = Math.min(Math.floor((x * count) / width), count - 1);
      const to = Math.max(Math.floor(((x + 1) * count) / width), from + 1);
      let greatest = at(from);
      for (let step = from + 1; step < to && step < count; step++) {
        greatest = Math.max(greatest, at(step));
      }
      yield [x, greatest];
    }
  }

  drawDepth(context, width, height, colour) {
    const { depths } = this.recording;
    const most = depths.reduce((a, b) => Math.max(a, b), 1) + 1;
    context.fillStyle = colour("--depth");
    for (const [x, depth] of this.pixels(width, (step) => depths[step])) {
      const tall = Math.max(((depth + 1) / most) * height, 1);
      context.fillRect(x, height - tall, 1, tall);
    }
  }

  drawVerdicts(context, key, width, height, colour) {
    const { verdicts } = this.recording.unwinders[key];
    const loud = VERDICTS.map((name) => SIGNS[name][2]);
    const fills = [colour("--good"), colour("--gap"), colour("--bad")];
    const tall = [2, height / 2, height];
    for (const [x, level] of this.pixels(width, (step) => loud[verdicts[step]])) {
      context.fillStyle = fills[level];
      context.fillRect(x, height - tall[level], 1, tall[level]);
    }
  }

  // The style sheet knows where the strips begin, on paper too.
  place(step) {
    const part = this.recording.count > 1 ? step / (this.recording.count - 1) : 0;
    this.cursor.style.setProperty("--part", part);
  }
}
