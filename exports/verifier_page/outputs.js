// Check 29: Bitcoin outputs were made, in blocks whose headers carry their work and lead to the pinned one.
const sha256d = (bytes) => sha256(sha256(bytes));
const backwards = (bytes) => Uint8Array.from(bytes).reverse();
const numberOf = (littleEndian) => (littleEndian.length ? big(backwards(littleEndian)) : 0n);
const littleEndian32 = (bytes, at) => Number(numberOf(bytes.subarray(at, at + 4)));
const SHORT_HEADER = 48, PERIOD = 2016, BRANCH_MAX = 17, MONEY_MAX = 2100000000000000n;
const MAIN_TARGET = (1n << 224n) - 1n, RETARGETS = ["main", "signet"], FIXED = "regtest";
const NETWORKS = {
  "bip122:000000000019d6689c085ae165831e93": { name: "main", prefix: "bc", key: 0, script: 5, limit: MAIN_TARGET, says: 227931 },
  "bip122:000000000933ea01ad0ee984209779ba": { name: "test", prefix: "tb", key: 111, script: 196, limit: MAIN_TARGET, says: 21111 },
  "bip122:00000000da84f2bafbbc53dee25a72ae": { name: "testnet4", prefix: "tb", key: 111, script: 196, limit: MAIN_TARGET, says: 1 },
  "bip122:00000008819873e925422c1ff0f99f7c": { name: "signet", prefix: "tb", key: 111, script: 196, limit: 0x377aen << 216n, says: 1 },
  "bip122:0f9188f13cb7b2c71f2a335e3a4fc328": { name: FIXED, prefix: "bcrt", key: 111, script: 196, limit: (1n << 255n) - 1n, says: 1 },
};

// Addresses are written anew from the script that an output has, and compared as text.
function base58(payload) {
  const bytes = join(payload, sha256d(payload).subarray(0, 4)), letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  let rest = big(bytes), found = "";
  for (; rest; rest /= 58n) found = letters[Number(rest % 58n)] + found;
  for (const byte of bytes) { if (byte) break; found = "1" + found; }
  return found;
}
function segwitAddress(prefix, version, program) {
  const groups = [version], expanded = [...prefix].map((each) => each.charCodeAt(0));
  let held = 0, bits = 0;
  for (const byte of program) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5;) groups.push((held >> (bits -= 5)) & 31);
  }
  if (bits) groups.push((held << (5 - bits)) & 31);
  let check = 1;
  for (const value of [...expanded.map((each) => each >> 5), 0, ...expanded.map((each) => each & 31), ...groups, 0, 0, 0, 0, 0, 0]) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].forEach((each, at) => { if ((top >>> at) & 1) check ^= each; });
  }
  check ^= version ? 0x2bc830a3 : 1;
  for (let at = 5; at >= 0; at--) groups.push((check >>> (5 * at)) & 31);
  return prefix + "1" + groups.map((each) => "qpzry9x8gf2tvdw0s3jn54khce6mua7l"[each]).join("");
}
function addressOf(network, script) {
  const text = hex(script), size = script.length;
  if (/^76a914.{40}88ac$/.test(text)) return base58(join(Uint8Array.of(network.key), script.subarray(3, 23)));
  if (/^a914.{40}87$/.test(text)) return base58(join(Uint8Array.of(network.script), script.subarray(2, 22)));
  const version = script[0] ? script[0] - 0x50 : 0, program = script.subarray(2);
  if (size < 4 || size > 42 || version < 0 || version > 16 || script[1] !== program.length) return null;
  return version || size === 22 || size === 34 ? segwitAddress(network.prefix, version, program) : null;
}

// The outputs of a transaction written without its witness; every byte has its place.
function readOutputs(bytes) {
  let at = 4;
  const take = (size) => {
    if (at + size > bytes.length) refuse("a transaction ends before it should");
    return bytes.subarray(at, (at += size));
  };
  const size = () => {
    const first = take(1)[0];
    if (first < 253) return first;
    const long = 1 << (first - 252), found = numberOf(take(long));
    if (found < (long === 2 ? 253n : 1n << BigInt(4 * long)) || found > 4000000n) refuse("a size is not written in its shortest form");
    return Number(found);
  };
  const inputs = size(), coins = [];
  if (!inputs) refuse("a transaction has no inputs, or its witness with it");
  for (let left = inputs; left; left--) { coins.push(hex(take(36))); coins.push(take(size())); take(4); }
  const outputs = [];
  for (let left = size(); left; left--) { const value = numberOf(take(8)); outputs.push({ value, script: take(size()) }); }
  take(4);
  if (at !== bytes.length || !outputs.length || sum(outputs.map((each) => each.value)) > MONEY_MAX) refuse("no transaction that could be");
  return { outputs, made: inputs === 1 && coins[0] === "00".repeat(32) + "ffffffff" ? coins[1] : null };
}
function pushOf(number) { // of a height, as a coinbase begins
  if (number <= 16) return Uint8Array.of(number ? 0x50 + number : 0);
  const bytes = [];
  for (let rest = number; rest; rest = Math.floor(rest / 256)) bytes.push(rest & 255);
  if (bytes[bytes.length - 1] & 128) bytes.push(0);
  return Uint8Array.of(bytes.length, ...bytes);
}

function targetOf(bits) {
  const exponent = bits >>> 24, mantissa = BigInt(bits & 0x7fffff);
  const target = exponent > 3 ? mantissa << BigInt(8 * (exponent - 3)) : mantissa >> BigInt(8 * (3 - exponent));
  return (bits & 0x800000 && mantissa) || target >= 1n << 256n ? 0n : target;
}
function bitsOf(target) {
  let size = Math.ceil(target.toString(2).length / 8), mantissa = Number(size > 3 ? target >> BigInt(8 * (size - 3)) : target << BigInt(8 * (3 - size)));
  if (mantissa & 0x800000) { mantissa >>= 8; size += 1; }
  return size * 0x1000000 + mantissa;
}
function nextBits(network, bits, seconds) {
  const span = PERIOD * 600, taken = BigInt(Math.min(Math.max(seconds, span / 4), span * 4)), target = (targetOf(bits) * taken) / BigInt(span);
  return bitsOf(target < network.limit ? target : network.limit);
}
function bitsFollow(network, height, header, before, start) {
  if (!RETARGETS.includes(network.name) && network.name !== FIXED) return true;
  if (network.name === FIXED || height % PERIOD) return header.bits === before.bits;
  if (start) return header.bits === nextBits(network, before.bits, before.time - start.time);
  const [hardest, easiest] = [0, PERIOD * 6000].map((seconds) => targetOf(nextBits(network, before.bits, seconds))), target = targetOf(header.bits);
  return hardest <= target && target <= easiest;
}

// Headers from the lowest on, each made whole with the hash of the one before, with their work.
function readHeaders(network, runs, sweep) {
  const ordered = [...runs].sort((one, other) => one.first_height - other.first_height), headers = [];
  if (!sweep || !ordered.length) refuse("outputs are shown without headers, or without a sweep of the chain");
  const first = ordered[0].first_height;
  for (const run of ordered) {
    const bytes = unhex(run.headers);
    if (run.first_height !== first + headers.length || bytes.length % SHORT_HEADER) refuse("the headers do not join, or one is not whole");
    let previous = backwards(unhex(run.previous_hash));
    if (headers.length && !sameBytes(previous, headers[headers.length - 1].hash)) refuse("a header does not follow the one before it");
    for (let at = 0; at < bytes.length; at += SHORT_HEADER) {
      const short = bytes.subarray(at, at + SHORT_HEADER), hash = sha256d(join(short.subarray(0, 4), previous, short.subarray(4)));
      const header = { hash, root: short.subarray(4, 36), time: littleEndian32(short, 36), bits: littleEndian32(short, 40) };
      const height = first + headers.length, before = headers[headers.length - 1], target = targetOf(header.bits);
      if (!target || target > network.limit || numberOf(hash) > target) refuse("block " + height + " has no proof of work that its network allows");
      if (before && !bitsFollow(network, height, header, before, headers[headers.length - PERIOD])) refuse("block " + height + " claims a difficulty that cannot follow");
      if (!height && !hex(backwards(hash)).startsWith(sweep.chain_id.slice(7))) refuse("block 0 is not the network's");
      headers.push(header);
      previous = hash;
    }
  }
  const last = headers[headers.length - 1];
  if (hex(backwards(last.hash)) !== sweep.block_hash || first + headers.length - 1 !== sweep.height) refuse("the headers do not end at the pinned block");
  if (micros(sweep.block_time) / 1000000n !== BigInt(last.time)) refuse("the pinned block has another time than its header");
  return { first, headers };
}

// The transactions that stand in one block, by id, and their outputs.
function standing(network, height, root, placed) {
  const found = new Map(), places = new Set(), depths = new Set();
  for (const r of placed) {
    const bytes = unhex(r.transaction);
    if (bytes.length === 64) refuse("a transaction of 64 bytes cannot be told from a pair of hashes");
    const read = readOutputs(bytes), id = sha256d(bytes), name = hex(backwards(id));
    if (r.branch.length > BRANCH_MAX || r.place >= 2 ** r.branch.length) refuse("a branch does not fit the place of its transaction");
    let node = id, place = r.place;
    for (const each of r.branch) {
      const beside = unhex(each), right = place % 2 === 1;
      if (right && sameBytes(beside, node)) refuse("a repeated hash is shown as a transaction of its own");
      node = sha256d(right ? join(beside, node) : join(node, beside));
      place = Math.floor(place / 2);
    }
    if (!sameBytes(node, root)) refuse("a branch does not lead to the block's merkle root");
    if ((read.made !== null) !== (r.place === 0)) refuse("a coinbase stands elsewhere than at place 0, or another transaction there");
    const wanted = pushOf(height);
    if (!r.place && height >= network.says && !sameBytes(read.made.subarray(0, wanted.length), wanted)) refuse("the coinbase does not say its height");
    if (places.has(r.place) || found.has(name)) refuse("one transaction is shown twice");
    places.add(r.place);
    depths.add(r.branch.length);
    found.set(name, read);
  }
  if (!places.has(0)) refuse("the coinbase of the block is not shown");
  if (depths.size > 1) refuse("a transaction is shown at another depth than the coinbase");
  return found;
}

function chainOutputProblems(all, chainId) {
  const own = (kind) => all[kind].filter((r) => r.chain_id === chainId), network = NETWORKS[chainId], problems = [], used = new Set(), made = new Map();
  if (!network) refuse("no Bitcoin network that is read here");
  const { first, headers } = readHeaders(network, own("bitcoin_headers"), all.sweeps.find((r) => r.chain_id === chainId));
  for (const [height, placed] of grouped(own("bitcoin_transactions"), (r) => r.height)) {
    problems.push(...tried(() => {
      if (!headers[height - first]) refuse("it has no header in the bundle");
      for (const [id, read] of standing(network, height, headers[height - first].root, placed)) made.set(key(height, id), read);
      return [];
    }).map((words) => "block " + height + ": " + words));
  }
  problems.push(...twice(own("bitcoin_outputs"), (r) => key(r.tx_id, r.output)).map((at) => at + " is counted more than once"));
  for (const r of own("bitcoin_outputs")) {
    const at = key(r.height, r.tx_id), output = made.has(at) ? made.get(at).outputs[r.output] : null, where = "output " + r.output + " of " + r.tx_id + ": ";
    used.add(at).add(r.height);
    if (!output) problems.push(where + "nothing shows that it was made in block " + r.height);
    else if (addressOf(network, output.script) !== r.address) problems.push(where + "it does not pay " + r.address);
    else if (output.value !== r.base_units) problems.push(where + "it is of " + output.value + " satoshis, not " + r.base_units);
  }
  for (const [at, read] of made) {
    if (!used.has(at) && !(read.made !== null && used.has(Number(at.split(" ")[0])))) problems.push("a transaction is shown of which no output is counted");
  }
  if (!used.has(first)) problems.push("headers begin below the first output");
  return problems;
}

function checkBitcoinOutputs(all) {
  const isBitcoin = (r) => namespace(r.chain_id) === "bip122", place = (r) => key(r.chain_id, r.address);
  const held = new Map(all.balances.filter((r) => isBitcoin(r) && r.status === "ok" && r.base_units).map((r) => [place(r), r.base_units]));
  const shown = ["bitcoin_headers", "bitcoin_transactions", "bitcoin_outputs"], problems = [], told = grouped(all.bitcoin_inclusions, place);
  if (!held.size && ![...shown, "bitcoin_inclusions"].some((kind) => all[kind].length)) return null;
  const outputs = grouped(all.bitcoin_outputs, place), total = (at) => sum((outputs.get(at) || []).map((r) => r.base_units));
  for (const r of all.balances.filter(isBitcoin)) if (r.state === "proven" || r.grade === "proven") problems.push(r.address + ": a balance of Bitcoin is never proven");
  for (const [at, [r, ...more]] of told) {
    if (more.length) problems.push(at + " is told more than once");
    if (r.shown + r.not_shown !== held.get(at)) problems.push(at + ": shown and not shown are not its balance");
    if (total(at) !== r.shown) problems.push(at + ": its outputs are " + total(at) + " together, not " + r.shown);
  }
  for (const at of held.keys()) if (!told.has(at)) problems.push(at + ": nothing is said about which outputs make its balance");
  for (const at of outputs.keys()) if (!told.has(at)) problems.push(at + " has outputs that no balance counts");
  for (const chainId of new Set(shown.flatMap((kind) => all[kind].map((r) => r.chain_id)))) {
    problems.push(...tried(() => chainOutputProblems(all, chainId)).map((words) => chainId + ": " + words));
  }
  return outcome(held.size + all.bitcoin_outputs.length, problems, [], "that outputs are unspent is not shown: no header commits to it");
}
