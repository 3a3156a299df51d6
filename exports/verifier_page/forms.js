// The forms of fields (section 2 of the format). Each takes what JSON gave and returns what is checked with.
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;
const refuse = (words) => { throw new Contradiction(words); };

function holdsUrl(text) {
  for (let at = text.indexOf("://"); at >= 0; at = text.indexOf("://", at + 1)) {
    for (let back = at - 1; back >= 0 && /[a-zA-Z0-9+.-]/.test(text[back]); back--) if (/[a-zA-Z]/.test(text[back])) return true;
  }
  return false;
}
function words(pattern, longest = 10000, url = false) {
  return (value) => {
    if (typeof value !== "string") refuse("not a string");
    if (value.length > longest && Array.from(value).length > longest) refuse("longer than " + longest + " characters");
    if (pattern && !pattern.test(value)) refuse("not of its form");
    if (!url && holdsUrl(value)) refuse("holds a URL");
    if (UNSAFE.test(value)) refuse("holds a control character");
    return value;
  };
}
const text = words(), free = words(null, 10000, true), shortText = words(null, 200);
const longText = words(null, 200000), documentText = words(null, 8000000), signatureText = words(null, 400000, true);
const id = words(/^[\x21-\x7e]{1,200}$/), idOrNone = words(/^[\x21-\x7e]{0,200}$/);
const code = words(/^[a-z0-9][a-z0-9_.-]{0,63}$/, 10000, true), digest = words(/^[0-9a-f]{64}$/, 64, true);
const blockHash = words(/^(0x)?[0-9a-f]{64}$/, 66, true), scriptHex = words(/^(?:[0-9a-f]{2}){1,10000}$/, 20000, true);
const address = words(/^[-.%a-zA-Z0-9]{1,128}$/, 128, true);
const CHAIN = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/;
const chain = words(CHAIN, 10000, true), locationId = words(/^[a-z][-a-z0-9]{1,15}:[-._:%a-zA-Z0-9]{1,150}$/, 10000, true);
const oneOf = (...choices) => (value) => (choices.includes(value) ? value : refuse("not one of " + choices.join(", ")));
const yesOrNo = (value) => (typeof value === "boolean" ? value : refuse("not true or false"));
const count = (value) => (Number.isSafeInteger(value) && value >= 0 ? value : refuse("not a whole number of zero or more"));
const amount = (value) =>
  typeof value === "string" && /^(0|-?[1-9][0-9]{0,79})$/.test(value) ? BigInt(value) : refuse("not an amount in base units");
// What forms are made of, for the columns of tables.
const SHAPES = new WeakMap();
const shaped = (shape, read) => { SHAPES.set(read, shape); return read; };
const orNull = (form) => shaped({ orNull: form }, (value) => (value === null ? null : form(value)));
const list = (form) => shaped({ list: form }, (value) => (Array.isArray(value) ? value.map((each) => form(each)) : refuse("not a list")));

function calendarDay(year, month, day) {
  const longest = [31, year % 4 || (!(year % 100) && year % 400) ? 28 : 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= longest[month - 1];
}
// Times and dates stay text: theirs is one width, so that text order is the order of time.
function time(value) {
  const parts = typeof value === "string" && /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.\d{6}Z$/.exec(value);
  if (!parts) refuse("not a time as 2026-01-31T23:59:59.000000Z");
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  if (!calendarDay(year, month, day) || hour > 23 || minute > 59 || second > 59) refuse("no moment of any calendar");
  return value;
}
function date(value) {
  const parts = typeof value === "string" && /^(\d{4})-(\d\d)-(\d\d)$/.exec(value);
  if (!parts || !calendarDay(...parts.slice(1).map(Number))) refuse("not a date as 2026-01-31");
  return value;
}
const dayOf = (moment) => moment.slice(0, 10);
// Days since 1970-01-01, and microseconds, exact: the one as number, the other as BigInt.
function dayNumber(day) {
  const [year, month, dayOfMonth] = day.split("-").map(Number), at = new Date(0);
  at.setUTCFullYear(year, month - 1, dayOfMonth);
  return Math.round(at.getTime() / 86400000);
}
function micros(moment) {
  const clock = BigInt(moment.slice(11, 13)) * 3600n + BigInt(moment.slice(14, 16)) * 60n + BigInt(moment.slice(17, 19));
  return (BigInt(dayNumber(dayOf(moment))) * 86400n + clock) * 1000000n + BigInt(moment.slice(20, 26));
}
const apart = (one, other) => { const gap = micros(one) - micros(other); return gap < 0n ? -gap : gap; };

function asset(value) {
  if (typeof value !== "string") refuse("not an asset id");
  if (value.startsWith("cusip:")) return /^cusip:[0-9A-Z*@#]{8}[0-9]$/.test(value) && cusipFits(value.slice(6)) ? value : refuse("not a CUSIP");
  if (value.startsWith("iso4217:")) return /^iso4217:[A-Z]{3}$/.test(value) ? value : refuse("not a currency");
  const cut = value.indexOf("/");
  const fits = cut > 0 && CHAIN.test(value.slice(0, cut)) &&
    /^[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}(\/[-.%a-zA-Z0-9]{1,78})?$/.test(value.slice(cut + 1));
  return fits ? value : refuse("not an asset id");
}
function cusipFits(cusip) {
  let total = 0;
  for (let at = 0; at < 8; at++) {
    const value = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#".indexOf(cusip[at]) * (at % 2 ? 2 : 1);
    total += Math.floor(value / 10) + (value % 10);
  }
  return (10 - (total % 10)) % 10 === Number(cusip[8]);
}
const assetChain = (assetId) => (assetId.includes("/") ? assetId.slice(0, assetId.indexOf("/")) : null);
const namespace = (chainId) => chainId.slice(0, chainId.indexOf(":"));
const twoPeople = (one, other) => foldCase(one) !== "" && foldCase(other) !== "" && foldCase(one) !== foldCase(other);
const foldCase = (name) => name.trim().split(/\s+/u).join(" ").toUpperCase().toLowerCase();

// A record: exactly these fields, each of its form; then what its fields must be to each other.
const FIELDS = new WeakMap(), FORMS = new WeakMap();
function record(fields, rule) {
  const names = Object.keys(fields);
  const read = (value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) refuse("not an object");
    if (Object.keys(value).length !== names.length) refuse("has unknown or missing fields");
    const found = {};
    for (const name of names) {
      if (!Object.hasOwn(value, name)) refuse("the field " + name + " is missing");
      try { found[name] = fields[name](value[name]); } catch (error) {
        if (error instanceof Contradiction) error.message = name + ": " + error.message;
        throw error;
      }
    }
    const problem = rule && rule(found);
    if (problem) refuse(problem);
    return found;
  };
  FIELDS.set(read, names);
  FORMS.set(read, fields);
  return read;
}
// The first of [condition, words] that does not hold.
const must = (...rules) => { const broken = rules.find(([holds]) => !holds); return broken ? broken[1] : ""; };
