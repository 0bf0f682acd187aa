// Shapes of the arrows beside the stack.

function arrowHeads() {
  const head = (id) => drawn("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4,
    markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" },
  drawn("path", { d: "M0 0 8 4 0 8z", class: id }));
  return drawn("defs", {}, head("head"), head("head-good"), head("head-bad"));
}

// From a word at a height to another one, round to the right.
function arc(kind, x, from, to, bulge, k) {
  return drawn("path", { class: `arc ${kind} colour${k % 6}`,
    d: `M${x} ${from} C${x + bulge} ${from} ${x + bulge} ${to} ${x + 1} ${to}`,
    "marker-end": "url(#head)" });
}

// From a frame's head at a height along a lane to the word at `to`, which a register points to; with
// a cross if that is wrong, and no further than the lane if `to` is not in the picture.
function handedArrow({ name, value, good, dy, from, margin, width, to, lane }) {
  const wide = width - margin > 100;
  const kind = good ? "good" : "bad";
  const at = from + dy;
  const label = (x, place, text) =>
    drawn("text", { x, y: place, class: `arrow-label ${kind} end` }, text);
  const said = good ? name : `${name}?`;
  if (to === null) {
    // It points to nothing in the picture.
    return [
      drawn("path", { class: `handed-arrow ${kind}`, d: `M${margin + 10} ${at} H${lane}`,
        "marker-end": good ? "url(#head-good)" : null }),
      good ? "" : cross(lane, at),
      wide ? label(width - 2, from + (good ? -13 : name === "rbp" ? 33 : 48),
        `${said} ${short(value)}`) : "",
    ].filter(Boolean);
  }
  const end = to + dy / 2;
  const turn = Math.sign(end - at) * Math.min(8, Math.abs(end - at) / 2);
  return [
    drawn("path", { class: `handed-arrow ${kind}`,
      d: `M${margin + 10} ${at} H${lane - 8} Q${lane} ${at} ${lane} ${at + turn}`
        + ` V${end - turn} Q${lane} ${end} ${lane - 8} ${end} H${margin + 4}`,
      "marker-end": `url(#head-${kind})` }),
    good ? "" : cross(lane, (at + end) / 2),
    wide ? label(lane - 4, end + (end < at ? 16 : -7), said) : "",
  ].filter(Boolean);
}

function cross(x, y) {
  return drawn("g", { class: "cross", transform: `translate(${x} ${y})` },
    drawn("circle", { r: 10 }), drawn("path", { d: "M-4.5-4.5 4.5 4.5M4.5-4.5-4.5 4.5" }));
}
