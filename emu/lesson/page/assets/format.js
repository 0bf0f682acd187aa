// Elements and numbers as text.

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  return filled(made, attributes, children);
}

function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

// The header of a column; `quiet` ones are for those who do not see the table.
function header(text, quiet = false, name = false) {
  return element("th", { scope: "col", class: name },
    quiet ? element("span", { class: "quiet" }, text) : text);
}

function byId(id) {
  return document.getElementById(id);
}

// 64-bit values are hexadecimal text without 0x; addresses of the guest are exact as numbers.
const hex = (text) => `0x${text}`;
const numberOf = (text) => (text.length <= 13 ? parseInt(text, 16) : NaN);
const textOf = (number) => number.toString(16);
// As addresses of the stack stand in its picture.
const short = (text) => (text.length > 8 ? `\u2026${text.slice(-4)}` : hex(text));
const counted = (number) => number.toLocaleString("en");
const plural = (count, word) => `${counted(count)} ${word}${count === 1 ? "" : "s"}`;
const signed = (number) => (number < 0 ? `-${-number}` : `+${number}`);

const REGISTERS = ["rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
  "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip"];
const RBP = 6;
const RSP = 7;
const RIP = 16;

const UNWINDERS = [
  { key: "sframe", name: "SFrame", table: ".sframe" },
  { key: "frame-pointers", name: "Frame pointers", table: "" },
  { key: "dwarf", name: "DWARF", table: ".eh_frame" },
];

const VERDICTS = ["ok", "gap", "wrong", "refused", "truncated", "overrun", "corrupt", "limit",
  "unsettled"];
// A sign, a word, and how loud the strip is: 0 nothing to say, 1 a gap, 2 an error.
const SIGNS = {
  ok: ["\u2713", "right", 0],
  gap: ["\u22ef", "gap", 1],
  wrong: ["\u2717", "wrong", 2],
  refused: ["\u2298", "refused", 2],
  truncated: ["\u22a3", "ends too early", 2],
  overrun: ["\u21a5", "goes on too far", 2],
  corrupt: ["\u2717", "corrupt", 2],
  limit: ["\u226b", "limit", 1],
  unsettled: ["?", "unsettled", 1],
};

// Index of the last element at or below `wanted`, -1 if there is none.
function lastAtOrBelow(sorted, wanted) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// A function that scrolls `holder` so that `row` is seen, null if it is.
function scrolledTo(row, holder) {
  if (!row || !row.isConnected) return null;
  const top = row.offsetTop;
  const height = holder.clientHeight;
  const seen = holder.scrollTop;
  if (top >= seen + 24 && top + 48 <= seen + height) return null;
  return () => { holder.scrollTop = top - height / 2; };
}
