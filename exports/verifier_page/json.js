// Section 2 of the format: canonical JSON, read by writing it again and comparing.
const DEPTH_MAX = 32;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function canonicalText(value, depth = 0) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new Contradiction("a text holds half a surrogate pair");
    if (value.normalize("NFC") !== value) throw new Contradiction("a text is not in Unicode form NFC");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Contradiction("a number is no whole one within 2^53 - 1");
    return String(value);
  }
  if (depth >= DEPTH_MAX) throw new Contradiction("nested deeper than " + DEPTH_MAX + " levels");
  if (Array.isArray(value)) return "[" + value.map((each) => canonicalText(each, depth + 1)).join(",") + "]";
  const names = Object.keys(value).sort(); // by UTF-16 code units
  return "{" + names.map((name) => canonicalText(name) + ":" + canonicalText(value[name], depth + 1)).join(",") + "}";
}

function decodeText(bytes) {
  try { return decoder.decode(bytes); } catch { throw new Contradiction("the bytes are no UTF-8"); }
}

function parseText(text) {
  try { return JSON.parse(text); } catch { throw new Contradiction("this is not JSON"); }
}

function parseCanonical(bytes) {
  const text = decodeText(bytes), value = parseText(text);
  if (canonicalText(value) !== text) {
    throw new Contradiction("the JSON is not in canonical form (order, doubled name, white space, escape or number)");
  }
  return value;
}

// JSON that people wrote, in any layout, but no name twice in one object. JSON.parse would keep the last one in
// silence, so names are counted while the text is walked once more.
function parseByHand(bytes) {
  const text = decodeText(bytes), value = parseText(text);
  canonicalText(value);
  const open = [];
  let word = null;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(null);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      const names = open[open.length - 1], name = JSON.parse(word);
      if (names.has(name)) throw new Contradiction("a name stands twice in one object");
      names.add(name);
    }
    word = token[0] === '"' ? token : null;
  }
  return value;
}
