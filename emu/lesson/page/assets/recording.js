// The recorded run: any step at once, by bisection in columns of changes.

function added(differences) {
  const sums = new Int32Array(differences.length);
  let sum = 0;
  for (let i = 0; i < differences.length; i++) sums[i] = sum += differences[i];
  return sums;
}

// Pairs of distance and value, as one value per step.
function spread(pairs, count) {
  const column = new Int32Array(count);
  let start = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    start += pairs[i];
    const end = i + 2 < pairs.length ? start + pairs[i + 2] : count;
    column.fill(pairs[i + 1], start, end);
  }
  return column;
}

async function unpacked(text) {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

class Recording {
  constructor(data) {
    this.data = data;
    this.count = data.count;
    this.values = data.values;
    this.registers = data.registers.map(([steps, values]) => ({ steps: added(steps), values }));
    this.words = new Map(data.stack.map(([address, steps, values]) =>
      [parseInt(address, 16), { steps: added(steps), values }]));
    this.extents = data.extents.map(([low, high, step]) =>
      ({ low: parseInt(low, 16), high: parseInt(high, 16), step }));
    this.callAt = spread(data.callAt, this.count);
    this.threads = spread(data.threads, this.count);
    this.threaded = data.threads.length > 2;
    const depths = new Int32Array(data.calls.length);
    data.calls.forEach(([older], i) => { depths[i] = older < 0 ? 1 : depths[older] + 1; });
    this.depths = new Int32Array(this.count);
    for (let i = 0; i < this.count; i++) {
      this.depths[i] = this.callAt[i] < 0 ? 0 : depths[this.callAt[i]];
    }
    this.unwinders = {};
    for (const { key } of UNWINDERS) {
      const walks = data.unwinders[key];
      this.unwinders[key] = {
        links: walks.links,
        reasons: walks.reasons,
        at: spread(walks.at, this.count),
        departs: spread(walks.departs, this.count),
        verdicts: Uint8Array.from(spread(walks.verdicts, this.count)),
      };
    }
    this.functions = data.functions.map((one) => ({ ...one, from: parseInt(one.start, 16) }));
    this.starts = this.functions.map((one) => one.from);
  }

  register(number, step) {
    const { steps, values } = this.registers[number];
    return this.values[values[lastAtOrBelow(steps, step)]];
  }

  registerChanged(number, step) {
    const { steps } = this.registers[number];
    return step > 0 && steps[lastAtOrBelow(steps, step)] === step;
  }

  pc(step) {
    return this.register(RIP, step);
  }

  recorded(address, step) {
    return this.extents.some((one) =>
      one.low <= address && address < one.high && one.step <= step);
  }

  // The first address above `address` that was not recorded.
  recordedEnd(address, step) {
    let end = address;
    for (;;) {
      const reached = end;
      const next = this.extents.find((one) =>
        one.low <= reached && reached < one.high && one.step <= step);
      if (!next) return end;
      end = next.high;
    }
  }

  // The word at a multiple of 8, null if it was not recorded.
  word(address, step) {
    const history = this.words.get(address);
    if (history) {
      const index = lastAtOrBelow(history.steps, step);
      if (index >= 0) return this.values[history.values[index]];
    }
    return this.recorded(address, step) ? "0" : null;
  }

  wordChanged(address, step) {
    const history = this.words.get(address);
    if (!history || step === 0) return false;
    const index = lastAtOrBelow(history.steps, step);
    return index >= 0 && history.steps[index] === step && this.recorded(address, step - 1);
  }

  // The true frames, innermost first.
  frames(step) {
    const pc = this.pc(step);
    const frames = [{
      number: 0, ip: pc, sp: this.register(RSP, step), fp: this.register(RBP, step),
      fpKnown: true, kind: "", inside: pc, slot: null,
    }];
    let call = this.callAt[step];
    while (call >= 0) {
      const [older, slot, ip, fp, known, kind, inside] = this.data.calls[call];
      const slotText = this.values[slot];
      frames[frames.length - 1].slot = numberOf(slotText);
      frames.push({
        number: frames.length,
        ip: this.values[ip],
        sp: textOf(numberOf(slotText) + 8),
        fp: this.values[fp],
        fpKnown: known === 1,
        kind,
        inside: this.values[inside],
        slot: null,
      });
      call = older;
    }
    return frames;
  }

  // What an unwinder does: hop k leads from frame k to frame k + 1, the last one ends.
  walk(key, step) {
    const walks = this.unwinders[key];
    const hops = [];
    for (let link = walks.at[step]; link >= 0;) {
      const [further, kind, reason, ip, sp, fp, interrupted, cfa] = walks.links[link];
      hops.push({
        kind,
        reason: reason < 0 ? "" : walks.reasons[reason],
        state: ip === undefined ? null : {
          ip: this.values[ip], sp: this.values[sp], fp: this.values[fp],
          interrupted: interrupted === 1,
        },
        cfa: cfa === undefined || cfa < 0 ? null : this.values[cfa],
      });
      link = further;
    }
    return { hops, departs: walks.departs[step], verdict: VERDICTS[walks.verdicts[step]] };
  }

  // [function, offset, module] of an address, null if nothing is known about it.
  named(address) {
    return this.data.names[address] || null;
  }

  place(address) {
    const found = this.named(address);
    if (!found || !found[0]) return hex(address);
    return found[1] ? `${found[0]}+0x${textOf(found[1])}` : found[0];
  }

  functionName(address) {
    const found = this.named(address);
    return found && found[0] ? found[0] : hex(address);
  }

  functionAt(address) {
    const at = numberOf(address);
    for (let i = lastAtOrBelow(this.starts, at); i >= 0; i--) {
      const one = this.functions[i];
      if (at < one.from + Math.max(one.size, 1)) return one;
      if (at - one.from > 0x100000) return null;
    }
    return null;
  }

  // [offset, bytes, text, file, line] of an instruction, null if its code is not here.
  instruction(address) {
    const found = this.functionAt(address);
    if (!found) return null;
    const offset = numberOf(address) - found.from;
    return found.code.find((one) => one[0] === offset) || null;
  }

  source(instruction) {
    if (!instruction || instruction[3] < 0) return "";
    return `${this.data.sources[instruction[3]].name}:${instruction[4]}`;
  }
}
