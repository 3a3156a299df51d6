// Check 3: section 4 of the format. Keys come from the reader's own file. What the browser cannot check does not count
// and cannot pass: the check is then not possible.
const PAYLOAD_TYPE = "application/vnd.custody-verifier.manifest+json";
const NAMED_CURVES = { // object identifiers in a key's algorithm, in hex
  "06082a8648ce3d030107": ["P-256", "SHA-256", 32],
  "06052b81040022": ["P-384", "SHA-384", 48],
  "06052b81040023": ["P-521", "SHA-512", 66],
};
const LIST_TYPE = "application/vnd.custody-verifier.trusted-keys+json";
const trustedKeysRecord = record({
  format: free, version: count, expires: time,
  roles: list(record({ name: code, threshold: count, required: yesOrNo })),
  keys: list(record({
    key_id: digest, name: text, role: code, public_key: text, revoked_from: orNull(time), compromised: yesOrNo,
  }, (r) => must([!r.compromised || r.revoked_from !== null, "a compromised key has no moment from which it is revoked"]))),
  signatures: list(record({ key_id: digest, signature: free })),
});

// The value of one DER element and where it ends; only short and definite lengths that are the shortest.
function derElement(bytes, at, tag) {
  if (bytes[at] !== tag) refuse("a key or signature is not DER");
  let length = bytes[at + 1], begin = at + 2;
  if (length > 0x82 || length === 0x80) refuse("a key or signature is not DER");
  if (length > 0x80) {
    const width = length - 0x80;
    length = 0;
    for (let n = 0; n < width; n++) length = length * 256 + bytes[begin + n];
    if (length < (width === 1 ? 0x80 : 0x100)) refuse("a key or signature is not DER");
    begin += width;
  }
  if (begin + length > bytes.length) refuse("a key or signature is cut");
  return { value: bytes.subarray(begin, begin + length), end: begin + length };
}

function keyAlgorithm(der) {
  const outer = derElement(der, 0, 0x30), algorithm = derElement(outer.value, 0, 0x30);
  if (outer.end !== der.length) refuse("data stand behind a key");
  const named = hex(algorithm.value);
  if (named === "06032b6570") return { importAs: { name: "Ed25519" }, verifyAs: { name: "Ed25519" } };
  if (named.startsWith("06072a8648ce3d0201")) {
    const found = NAMED_CURVES[named.slice(18)];
    if (!found) refuse("a key is on a curve that is not accepted");
    const [namedCurve, hash, width] = found;
    return { importAs: { name: "ECDSA", namedCurve }, verifyAs: { name: "ECDSA", hash }, width };
  }
  if (named === "06092a864886f70d0101010500") {
    return { importAs: { name: "RSA-PSS", hash: "SHA-256" }, verifyAs: { name: "RSA-PSS", saltLength: 32 }, bits: 2048 };
  }
  return refuse("a key is of a kind that is not accepted");
}

// An ECDSA signature as the browser wants it: r and s of fixed width, out of DER.
function fixedWidth(signature, width) {
  const outer = derElement(signature, 0, 0x30), r = derElement(outer.value, 0, 0x02);
  const s = derElement(outer.value, r.end, 0x02), fixed = new Uint8Array(2 * width);
  if (outer.end !== signature.length || s.end !== outer.value.length) refuse("data stand behind a signature");
  [r.value, s.value].forEach((number, place) => {
    const padded = number.length > 1 && number[0] === 0;
    if (!number.length || number[0] > 127 || (padded && number[1] < 128)) refuse("a signature is not DER");
    const digits = padded ? number.subarray(1) : number;
    if (digits.length > width) refuse("a signature's number is too large");
    fixed.set(digits, (place + 1) * width - digits.length);
  });
  return fixed;
}

async function importKey(trusted) {
  const der = base64Bytes(trusted.public_key);
  if (!der) refuse("key " + trusted.name + ": not base64");
  if (hex(sha256(der)) !== trusted.key_id) refuse("key " + trusted.name + ": the id is not the SHA-256 of the key");
  const algorithm = keyAlgorithm(der);
  let key;
  try {
    key = await crypto.subtle.importKey("spki", der, algorithm.importAs, false, ["verify"]);
  } catch (error) {
    const unknown = error.name === "NotSupportedError";
    throw new (unknown ? Obstacle : Contradiction)("key " + trusted.name + (unknown ? ": this browser does not know its algorithm" : ": damaged"));
  }
  if (algorithm.bits && key.algorithm.modulusLength < algorithm.bits) refuse("key " + trusted.name + ": too short");
  return { key, ...algorithm };
}

// The reader's file: what it says, and every key ready to use, or why it is not.
async function readTrustedKeys(bytes) {
  const value = parseByHand(bytes), keys = trustedKeysRecord(value), names = keys.roles.map((each) => each.name);
  const risen = (items) => items.every((each, at) => !at || items[at - 1] < each), ofRole = (name) => keys.keys.filter((each) => each.role === name);
  const root = keys.roles.find((each) => each.name === "root");
  const wrong = must(
    [keys.format === "custody-verifier-trusted-keys", "this is no file of trusted keys"],
    [keys.version >= 1, "its version counts from 1"],
    [risen(names) && risen(keys.signatures.map((each) => each.key_id)), "roles or signatures are not ascending, each once"],
    [new Set(keys.keys.map((each) => each.key_id)).size === keys.keys.length, "a key is listed twice"],
    [keys.keys.every((each) => names.includes(each.role)), "a key has a role that is not among the roles"],
    [keys.roles.every((each) => each.threshold >= 1 && each.threshold <= ofRole(each.name).length), "a threshold is none, or cannot be reached"],
    [keys.roles.some((each) => each.required), "no role is required, so nothing would have to be signed"],
    [root || !keys.signatures.length, "the list is signed and has no root keys"],
    [!root || !root.required, "root keys sign no bundle, so the role cannot be required"],
    [ofRole("root").every((each) => each.revoked_from === null), "a root key is taken out of the list, not revoked in it"],
  );
  if (wrong) refuse(wrong);
  for (const each of keys.keys) {
    try { each.ready = await importKey(each); } catch (error) {
      if (!(error instanceof Obstacle)) throw error;
      each.obstacle = error.message;
    }
  }
  if (root) await requireRoot(keys, value, ofRole("root"), root.threshold);
  return keys;
}

// A list with root keys is signed by enough of its own, and by none of them wrongly.
async function requireRoot(keys, value, roots, threshold) {
  const signed = { ...value };
  delete signed.signatures;
  const payload = utf8.encode(canonicalText(signed));
  let found = 0;
  for (const each of keys.signatures) {
    const trusted = roots.find((one) => one.key_id === each.key_id), signature = base64Bytes(each.signature);
    if (!trusted) continue;
    if (trusted.obstacle) throw new Obstacle(trusted.obstacle);
    if (!signature || !(await isSignedBy(trusted, payload, signature, LIST_TYPE))) refuse("the signature of root key " + trusted.name + " is wrong");
    found += 1;
  }
  if (found < threshold) refuse("the list is signed by " + found + " of its root keys; " + threshold + " are needed");
}

function readEnvelope(bytes) {
  const value = parseCanonical(bytes), fits = (found, ...names) =>
    found !== null && typeof found === "object" && String(Object.keys(found).sort()) === String(names);
  if (!fits(value, "payload", "payloadType", "signatures") || !Array.isArray(value.signatures) || value.signatures.length !== 1) {
    refuse("an envelope has payload, payloadType and one signature, nothing else");
  }
  if (value.payloadType !== PAYLOAD_TYPE) refuse("the envelope signs something that is no manifest");
  const [one] = value.signatures;
  if (!fits(one, "keyid", "sig") || typeof one.keyid !== "string") refuse("a signature has keyid and sig, nothing else");
  const payload = base64Bytes(value.payload), signature = base64Bytes(one.sig);
  if (!payload || !signature) refuse("not the one base64 spelling of its bytes");
  return { payload, keyId: one.keyid, signature };
}

function signedBytes(payload, payloadType) {
  const type = utf8.encode(payloadType);
  return join(utf8.encode("DSSEv1 " + type.length + " "), type, utf8.encode(" " + payload.length + " "), payload);
}

async function isSignedBy(trusted, payload, signature, payloadType = PAYLOAD_TYPE) {
  const { key, verifyAs, width } = trusted.ready;
  return crypto.subtle.verify(verifyAs, key, width ? fixedWidth(signature, width) : signature, signedBytes(payload, payloadType));
}

// Why a right signature of a key does not count; empty when it does. Time stamps are not read by this page, so nothing
// shows that a bundle is older than the moment from which its key is compromised.
function whyNot(trusted, manifest) {
  if (trusted.role === "root") return "a root key signs lists, no bundle";
  if (trusted.compromised) return "compromised from " + trusted.revoked_from + ", and this page reads no time stamps";
  return trusted.revoked_from !== null && manifest.created_at >= trusted.revoked_from ? "revoked from " + trusted.revoked_from : "";
}

// `envelopes` by the key id in their member name. Who signed, what does not count, what contradicts, what is not known.
async function judgeSignatures(manifestBytes, manifest, envelopes, trusted, now) {
  const out = { compared: envelopes.size, problems: [], obstacles: [], note: "" }, counted = [], notCounted = [];
  const known = new Map(trusted.keys.map((each) => [each.key_id, each]));
  for (const [named, bytes] of [...envelopes].sort()) {
    const where = "signature " + named.slice(0, 12) + ": ";
    try {
      const { payload, keyId, signature } = readEnvelope(bytes), key = known.get(named);
      if (keyId !== named) refuse("the envelope is of another key than its name says");
      if (!sameBytes(payload, manifestBytes)) refuse("the envelope signs another manifest");
      if (!key) { notCounted.push(named.slice(0, 12) + " (no key of yours)"); continue; }
      if (key.obstacle) { out.obstacles.push(key.obstacle); continue; }
      if (!(await isSignedBy(key, payload, signature))) refuse("wrong signature by " + key.name);
      const reason = whyNot(key, manifest);
      if (reason) notCounted.push(key.name + " (" + reason + ")");
      else counted.push(key);
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      out.problems.push(where + error.message);
    }
  }
  const roles = trusted.roles.filter((each) => each.name !== "root").map((each) => {
    const signed = counted.filter((one) => one.role === each.name).map((one) => one.name);
    if (each.required && signed.length < each.threshold && !out.obstacles.length) {
      out.problems.push("role " + each.name + ": " + signed.length + " of " + each.threshold + " signatures");
    }
    return each.name + " " + signed.length + " of " + each.threshold + (signed.length ? " (" + signed.join(", ") + ")" : "") + (each.required ? "" : ", not required");
  });
  if (out.problems.length) out.problems.push(...notCounted.map((each) => "not counted: " + each));
  if (now >= trusted.expires) out.obstacles.push("your list of keys expired at " + trusted.expires + ", judged at " + now);
  out.note = roles.join("; ") + (notCounted.length ? "; not counted: " + notCounted.join(", ") : "");
  out.accepted = counted.map((each) => each.name);
  return out;
}
