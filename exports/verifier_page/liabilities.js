// Check 22: section 7 of the format, made again from the allocations.
const [LEAF, NODE, PADDING, LINE, TOP, SALT, CUT] = [0, 1, 2, 3, 4, 5, 6].map((domain) => join(utf8.encode("custody-merkle-1"), Uint8Array.of(domain)));
const big = (bytes) => BigInt("0x" + hex(bytes));
const fourBytes = (number) => { const out = new Uint8Array(4); new DataView(out.buffer).setUint32(0, number); return out; };
const eightBytes = (number) => { const out = new Uint8Array(8); new DataView(out.buffer).setBigUint64(0, BigInt(number)); return out; };
const named = (text) => { const bytes = utf8.encode(text); return join(fourBytes(bytes.length), bytes); };
function wide(value) {
  if (value < 0n || value > AMOUNT_MAX) refuse("an amount is negative or does not fit 256 bits");
  const out = new Uint8Array(32), view = new DataView(out.buffer);
  for (let part = 0; part < 4; part++) view.setBigUint64(24 - 8 * part, BigInt.asUintN(64, value >> BigInt(64 * part)));
  return out;
}

function leavesOf(r) {
  if (r.position_key === null) return r.leaves.map((each) => ({ digest: unhex(each.digest), units: each.base_units }));
  const salt = unhex(r.position_key), names = [named(r.client_id), named(r.account_class), named(r.asset_id)];
  wide(r.base_units);
  const points = [1, 2, 3].map((n) => (r.base_units * big(sha256(join(CUT, salt, Uint8Array.of(n))))) >> 256n);
  points.sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
  const ends = [...points, r.base_units];
  return ends.map((end, n) => {
    const units = n ? end - ends[n - 1] : end, number = Uint8Array.of(n);
    return { digest: sha256(join(LEAF, ...names, number, wide(units), sha256(join(SALT, salt, number)))), units };
  });
}

function treeOf(records, paddingKey) {
  let level = records.flatMap(leavesOf);
  const positions = records.length, width = 2 ** Math.ceil(Math.log2(Math.max(level.length, 1)));
  for (let n = 0; level.length < width; n++) level.push({ digest: sha256(join(PADDING, unhex(paddingKey), eightBytes(n))), units: 0n });
  level.sort((one, other) => compareBytes(one.digest, other.digest));
  if (level.some((each, at) => at && sameBytes(each.digest, level[at - 1].digest))) refuse("a leaf stands twice");
  let height = 0;
  while (level.length > 1) {
    height += 1;
    const above = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at], level[at + 1]], units = left.units + right.units;
      wide(units);
      above.push({ digest: sha256(join(NODE, Uint8Array.of(height), left.digest, wide(left.units), right.digest, wide(right.units))), units });
    }
    level = above;
  }
  return { positions, height, owed: level[0].units, root: hex(level[0].digest) };
}

function totalOf(assetId, decimals, records, paddingKey, positions, places, manifest) {
  const tree = treeOf(records, paddingKey), seconds = (gap) => Number((gap + 999999n) / 1000000n);
  const observed = places.length && places.every((r) => r.observed !== null) ? sum(places.map((r) => r.observed - r.gas_float_observed)) : null;
  const difference = observed === null ? null : observed - tree.owed;
  const moments = places.flatMap((r) => [r.claimed_as_of, r.observed_as_of]);
  const skew = moments.reduce((most, at) => Math.max(most, seconds(apart(at, manifest.as_of))), 0);
  const tooFar = difference === null || skew > manifest.as_of_skew_seconds_max;
  const statuses = [tooFar ? "unverified" : difference ? "diverged" : "matched", ...places.map((r) => r.status)];
  return {
    ...tree, decimals, below_zero: sum(positions.map((units) => (units < 0n ? units : 0n))), observed, difference,
    skew_seconds: skew, status: ["diverged", "unverified", "matched"].find((each) => statuses.includes(each)),
  };
}

function lineOf(total) {
  return sha256(join(LINE, named(total.asset_id), Uint8Array.of(total.decimals, total.height), unhex(total.root), wide(total.owed)));
}

function checkLiabilities(all) {
  const { manifest } = all, problems = [], positions = new Map(), places = grouped(all.reconciliations, (r) => r.asset_id);
  for (const r of all.allocations) {
    if (r.is_gas_float) continue;
    if (!positions.has(r.asset_id)) positions.set(r.asset_id, new Map());
    const own = positions.get(r.asset_id), who = key(r.client_id, r.account_class);
    own.set(who, (own.get(who) || 0n) + r.base_units);
  }
  const wanted = [...new Set([...positions.keys(), ...places.keys()])].sort(), stated = grouped(all.liabilities, (r) => r.asset_id);
  const totals = new Map(all.liability_totals.map((r) => [r.asset_id, r])), decimals = new Map(all.assets.map((r) => [r.asset_id, r.decimals]));
  const keys = [...all.liabilities.map((r) => r.position_key), ...all.liability_totals.map((r) => r.padding_key)].filter((each) => each !== null);
  if (all.inclusion_statements.length) problems.push("a statement of one client, in a bundle that is not theirs");
  if (new Set(keys).size !== keys.length) problems.push("a key salts two positions");
  if (totals.size !== all.liability_totals.length) problems.push("an asset has two trees");
  for (const each of wanted) if (!totals.has(each)) problems.push(each + ": no tree");
  for (const each of new Set([...totals.keys(), ...stated.keys()])) if (!wanted.includes(each)) problems.push(each + ": a tree of nothing");
  for (const assetId of wanted.filter((each) => totals.has(each))) {
    const own = positions.get(assetId) || new Map(), records = stated.get(assetId) || [], total = totals.get(assetId), seen = new Set();
    for (const r of records) {
      const who = key(r.client_id, r.account_class), owed = own.has(who) ? (own.get(who) < 0n ? 0n : own.get(who)) : null;
      if (owed === null || seen.has(who)) problems.push(assetId + ": " + who + " stands twice, or has no allocation");
      else if (owed !== r.base_units) problems.push(assetId + ": " + who + " is owed " + owed + ", the tree says " + r.base_units);
      seen.add(who);
    }
    for (const who of own.keys()) if (!seen.has(who)) problems.push(assetId + ": " + who + " is not in the tree");
    if (total.padding_key === null) {
      problems.push(assetId + ": its tree has no padding key");
      continue;
    }
    try {
      const made = totalOf(assetId, decimals.get(assetId) || 0, records, total.padding_key, [...own.values()], places.get(assetId) || [], manifest);
      for (const [name, value] of Object.entries(made)) {
        if (total[name] !== value) problems.push(assetId + ": " + name + " " + total[name] + ", should be " + value);
      }
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      problems.push(assetId + ": " + error.message);
    }
  }
  const lines = [...totals.keys()].sort().map((each) => lineOf(totals.get(each)));
  const context = [named(manifest.firm.name), named(manifest.bundle_id), named(manifest.as_of)];
  const root = hex(sha256(join(TOP, ...context, fourBytes(lines.length), ...lines))), [said] = all.liability_roots;
  const same = all.liability_roots.length === 1 && said.root === root && said.assets === totals.size && said.positions === all.liabilities.length;
  if (!same) problems.push("the root is not the one over these trees");
  return outcome(all.liabilities.length + all.liability_totals.length, problems, [], "root " + root);
}
