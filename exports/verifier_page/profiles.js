// What a bundle leaves out by its profile, and the checks that cannot be made for it.
const RESTS_ON = {
  7: ["allocations", "reconciliations"], 10: ["reconciliations", "sweeps"],
  11: ["allocations", "assets", "cases", "reconciliations", "transfers"],
  14: ["allocations", "authorizations", "pools", "transfers", "wallets"],
  18: ["acceptances", "balances", "cases", "control_reviews", "controls", "grants", "restrictions"],
  19: ["controls", "key_challenges", "key_proofs", "wallets"], 20: ["key_challenges", "key_proofs", "wallets"],
  21: ["control_reviews", "controls", "grants", "restrictions", "wallets"],
  23: ["cases", "reserve_computations", "reserve_positions"], 24: ["balances", "proof_headers", "proof_nodes", "token_layouts"],
  26: ["transaction_proofs", "transfers"], 27: ["cases", "possession_reviews"], 28: ["cases", "securities_runs"],
  29: ["balances", "bitcoin_headers", "bitcoin_inclusions", "bitcoin_outputs", "bitcoin_transactions"], 30: ["imported_evidence"],
  32: ["balances", "node_answers"],
};
const OF_EACH = { 8: "reconciliations", 9: "reconciliations", 12: "balances", 13: "balances", 17: "balances" };
const ABOUT = {
  19: ["key_challenges", "key_proofs"], 20: ["key_challenges", "key_proofs"], 23: ["reserve_computations", "reserve_positions"],
  24: ["proof_headers", "proof_nodes"], 26: ["transaction_proofs"], 27: ["possession_reviews"], 28: ["securities_runs"],
  29: ["bitcoin_headers", "bitcoin_inclusions", "bitcoin_outputs", "bitcoin_transactions"], 30: ["imported_evidence"],
  32: ["node_answers"],
};

function withheldReason(number, all) {
  const missing = new Set(all.manifest.disclosure.filter((each) => each.committed || each.withheld !== 0).map((each) => each.kind));
  const about = ABOUT[number];
  if (about && about.every((kind) => !missing.has(kind) && !all[kind].length)) return "";
  // Each state proof stands for itself, and none that is claimed goes unchecked.
  if (number === 24 && (all.balances.some((each) => each.state === "proven") || all.proof_headers.length || all.proof_nodes.length)) return "";
  let names = (RESTS_ON[number] || []).filter((kind) => missing.has(kind));
  const each = OF_EACH[number];
  if (each && missing.has(each) && !all[each].length) names = [each];
  return names.length ? "withheld: not checked, for it rests on " + names.join(", ") : "";
}

const disclosed = record({
  kind: code, published: count, committed: count, withheld: orNull(count), commitment: orNull(digest), replaced: list(code),
}, (r) => must(
  [(r.committed > 0) === (r.commitment !== null), "a commitment stands for one record or more, and records have one"],
  [r.replaced.every((each, at) => !at || r.replaced[at - 1] < each), "the replaced fields are not ascending, each once"],
));

function profileRule(r) {
  const whole = r.disclosure.every((each) => !each.committed && each.withheld === 0 && !each.replaced.length);
  return must(
    [String(r.disclosure.map((each) => each.kind)) === String(r.members.map((each) => each.kind)), "what is disclosed is not told for exactly the members"],
    [(r.profile === "full") === (r.full_digest === null), "a full bundle is made from no other, and every other from a full one"],
    [(r.profile === "client") === (r.subject !== ""), "a client's own bundle, and no other, says whose it is"],
    [r.profile !== "full" || whole, "a full bundle in which something is missing or replaced"],
    [r.profile !== "pseudonymous" || r.disclosure.every((each) => each.withheld === 0), "what a pseudonymous bundle leaves out has a commitment"],
  );
}

function disclosureWords(manifest) {
  if (manifest.profile === "full") return "full: every record";
  const left = manifest.disclosure.filter((each) => each.committed || each.withheld !== 0 || each.replaced.length).map((each) => {
    const parts = [each.published + " shown"];
    if (each.committed) parts.push(each.committed + " committed to");
    if (each.withheld !== 0) parts.push((each.withheld === null ? "others" : each.withheld) + " withheld");
    if (each.replaced.length) parts.push(each.replaced.join(" and ") + " replaced");
    return each.kind + " (" + parts.join(", ") + ")";
  });
  return manifest.profile + (manifest.subject ? " of " + manifest.subject : "") + ". What it leaves out was not checked: " + left.join("; ");
}

// Check 22 of a client's own bundle: the statement's paths lead to the root, and the records say what it says.
const sibling = record({ digest, base_units: amount }, (r) => must([r.base_units >= 0n, "a sibling is negative"]));
const statedPosition = record({
  account_class: code, asset_id: asset, decimals: count, base_units: amount, position_key: digest, line: count,
  paths: list(record({ index: count, siblings: list(sibling) })),
}, (r) => must(
  [r.base_units >= 0n, "an amount owed is negative"], [r.decimals <= 77, "too many decimals"], [r.paths.length === 4, "a position has 4 paths"],
));
const inclusionStatement = record({
  format: free, format_version: count, firm: text, bundle_id: id, as_of: time, client_id: id, root: digest, lines: list(digest),
  positions: list(statedPosition),
}, (r) => must([r.lines.length <= 100000, "there are too many assets"]));

function pathRoot(leaf, path) {
  const levels = path.siblings.length;
  if (levels > TREE_HEIGHT_MAX || path.index >= 2 ** levels) refuse("a path is too long, or too short for its position");
  let at = leaf, index = path.index;
  path.siblings.forEach((each, level) => {
    const other = { digest: unhex(each.digest), units: each.base_units }, [left, right] = index % 2 ? [other, at] : [at, other];
    const units = left.units + right.units;
    wide(units);
    at = { digest: sha256(join(NODE, Uint8Array.of(level + 1), left.digest, wide(left.units), right.digest, wide(right.units))), units };
    index = Math.floor(index / 2);
  });
  return at;
}

function statedLine(statement, position) {
  const leaves = leavesOf({ ...position, client_id: statement.client_id, leaves: [] });
  const roots = leaves.map((leaf, at) => pathRoot(leaf, position.paths[at])), heights = position.paths.map((path) => path.siblings.length);
  const same = roots.every((each, at) => sameBytes(each.digest, roots[0].digest) && each.units === roots[0].units && heights[at] === heights[0]);
  if (!same) refuse("the paths of one position lead to different roots");
  return hex(lineOf({ asset_id: position.asset_id, decimals: position.decimals, height: heights[0], root: hex(roots[0].digest), owed: roots[0].units }));
}

function checkOwnLiability(all) {
  const { manifest } = all, problems = [], say = (holds, words) => { if (!holds) problems.push(words); };
  if (all.inclusion_statements.length !== 1 || all.liability_roots.length !== 1) return outcome(1, ["there is not one inclusion statement and one root"]);
  const [statement] = all.inclusion_statements, [root] = all.liability_roots, used = new Set(), assetOf = new Map();
  say(statement.format === "custody-verifier-inclusion" && statement.format_version === 1, "the statement is of another format");
  say(statement.client_id === manifest.subject && statement.firm === manifest.firm.name && statement.bundle_id === manifest.bundle_id &&
    statement.as_of === manifest.as_of, "the statement is of another client, bundle or moment");
  for (const position of statement.positions) {
    const name = position.asset_id + " (" + position.account_class + ")";
    try { say(statedLine(statement, position) === statement.lines[position.line], name + ": the paths do not lead to the tree of this asset"); } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      problems.push(name + ": " + error.message);
      continue;
    }
    if (!assetOf.has(position.line)) assetOf.set(position.line, position.asset_id);
    say(assetOf.get(position.line) === position.asset_id, name + ": two assets share a tree");
    const places = new Set(position.paths.map((path) => position.line + " " + path.index));
    say(places.size === 4 && ![...places].some((each) => used.has(each)), name + ": a leaf is counted twice");
    for (const each of places) used.add(each);
  }
  say(new Set(statement.positions.map((r) => key(r.account_class, r.asset_id))).size === statement.positions.length, "a position stands twice");
  say(new Set(statement.lines).size === statement.lines.length, "an asset's line stands twice");
  const ordered = [...assetOf.keys()].sort((one, other) => one - other).map((each) => assetOf.get(each));
  say(ordered.every((each, at) => !at || ordered[at - 1] < each), "the assets are not in ascending order, each once");
  const context = [named(manifest.firm.name), named(manifest.bundle_id), named(manifest.as_of)];
  const top = hex(sha256(join(TOP, ...context, fourBytes(statement.lines.length), ...statement.lines.map(unhex))));
  say(top === statement.root && top === root.root, "the assets' trees do not lead to the root");
  say(root.assets === statement.lines.length, "the root is over another number of assets");
  const words = (r) => key(r.account_class, r.asset_id, r.base_units, r.position_key), sorted = (rows) => String(rows.map(words).sort());
  say(sorted(statement.positions) === sorted(all.liabilities), "the liabilities are not the positions of the statement");
  say([...all.allocations, ...all.liabilities].every((r) => r.client_id === manifest.subject) && all.liabilities.length > 0,
    "something of another client is here, or nothing of this one");
  const owed = new Map(), there = new Map();
  for (const r of all.allocations) {
    if (!r.is_gas_float) owed.set(key(r.account_class, r.asset_id), (owed.get(key(r.account_class, r.asset_id)) || 0n) + r.base_units);
    there.set(key(r.location, r.asset_id), (there.get(key(r.location, r.asset_id)) || 0n) + r.base_units);
  }
  const sums = [...owed].map(([who, units]) => who + " " + (units < 0n ? 0n : units)).sort();
  say(String(sums) === String(all.liabilities.map((r) => key(r.account_class, r.asset_id) + " " + r.base_units).sort()), "the liabilities are not the sums of the allocations");
  const decimals = new Map(all.assets.map((r) => [r.asset_id, r.decimals])), lines = new Map(statement.positions.map((r) => [r.asset_id, statement.lines[r.line]]));
  say(String(all.liability_totals.map((r) => r.asset_id).sort()) === String([...lines.keys()].sort()), "the totals are not those of the client's assets");
  for (const total of all.liability_totals) {
    say(lines.get(total.asset_id) === hex(lineOf(total)) && decimals.get(total.asset_id) === total.decimals, total.asset_id + ": the total is not that of the tree");
    say(total.observed === null || total.difference === total.observed - total.owed, total.asset_id + ": the difference does not compute");
  }
  for (const place of all.reconciliations) {
    say(place.claimed === (there.get(key(place.location, place.asset_id)) || 0n), place.location + " " + place.asset_id + ": claimed is not the client's allocation");
  }
  return outcome(statement.positions.length + all.liability_totals.length, problems, [], "root " + root.root + "; your part alone");
}
