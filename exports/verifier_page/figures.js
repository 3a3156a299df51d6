// Checks 6 to 10: the figures, computed again. Every check returns how much it compared, what contradicts, what could
// not be compared. `all` has the manifest and the records by kind.
const outcome = (compared, problems = [], obstacles = [], note = "") => ({ compared, problems, obstacles, note });
// Several ids as one. None of them holds a space, but for a token's question, which stands between two others.
const key = (...parts) => parts.join(" ");
const account = (chainId, at) => chainId + ":" + at;
const grouped = (items, by) => {
  const found = new Map();
  for (const each of items) { const at = by(each); found.has(at) ? found.get(at).push(each) : found.set(at, [each]); }
  return found;
};
const twice = (items, by) => [...grouped(items, by)].filter(([, same]) => same.length > 1).map(([at]) => at);
const placeOf = (r) => key(r.location, r.asset_id);

// The one spelling of an EVM address: capitals by the digest of its small letters (EIP-55).
function checksumAddress(text) {
  const small = text.slice(2).toLowerCase(), digits = hex(keccak256(utf8.encode(small)));
  return "0x" + Array.from(small, (letter, at) => (parseInt(digits[at], 16) > 7 ? letter.toUpperCase() : letter)).join("");
}
const isEvmAddress = (text) => /^0x[0-9a-fA-F]{40}$/.test(text) && checksumAddress(text) === text;

function spellingProblem(chainId, what, text) {
  if (namespace(chainId) !== "eip155") return ""; // Bitcoin's spelling is judged by its own checksum, not here
  if (what === "address") return isEvmAddress(text) ? "" : text + " is not the canonical spelling of an address";
  const reference = text.slice(text.indexOf("/") + 1), [kind, place, ...token] = reference.split(/[:/]/);
  if (kind === "slip44") return token.length ? "a coin has no token id" : "";
  if (!["erc20", "erc721", "erc1155"].includes(kind)) return text + " is no kind of asset of this chain";
  return isEvmAddress(place) ? "" : text + " does not spell its contract canonically";
}

function checkReferences({ manifest, ...all }) {
  const problems = [];
  let compared = 0;
  const unique = (what, items, by) => {
    compared += items.length;
    problems.push(...twice(items, by).map((at) => what + " " + at + " stands more than once"));
  };
  const known = (what, at, keys) => { compared += 1; if (!keys.has(at)) problems.push(what + " " + at + " is not in the bundle"); };
  const assets = new Set(all.assets.map((r) => r.asset_id)), wallets = new Set(all.wallets.map((r) => account(r.chain_id, r.address)));
  const places = new Set([...wallets, ...all.pools.map((r) => "pool:" + r.pool_id)]);
  const sweeps = new Set(all.sweeps.map((r) => r.sweep_id)), approvals = new Set(all.authorizations.map((r) => r.authorization_id));
  unique("asset", all.assets, (r) => r.asset_id);
  unique("wallet", all.wallets, (r) => account(r.chain_id, r.address));
  unique("pool membership", all.pools, (r) => key(r.pool_id, r.chain_id, r.address));
  unique("sweep", all.sweeps, (r) => r.sweep_id);
  unique("sweep of chain", all.sweeps, (r) => r.chain_id);
  unique("balance", all.balances, (r) => key(r.chain_id, r.address, r.asset_id));
  unique("allocation", all.allocations, (r) => key(r.client_id, r.account_class, r.location, r.asset_id, r.is_gas_float));
  unique("reconciliation", all.reconciliations, placeOf);
  unique("transfer", all.transfers, (r) => key(r.chain_id, r.block_hash, r.tx_id, r.kind, String(r.index)));
  unique("authorization", all.authorizations, (r) => r.authorization_id);
  unique("case", all.cases, (r) => r.case_id);
  for (const r of all.wallets) problems.push(spellingProblem(r.chain_id, "address", r.address));
  for (const r of all.assets) if (assetChain(r.asset_id)) problems.push(spellingProblem(assetChain(r.asset_id), "asset", r.asset_id));
  for (const r of all.pools) known("wallet of a pool", account(r.chain_id, r.address), wallets);
  for (const r of all.balances) {
    known("wallet of a balance", account(r.chain_id, r.address), wallets);
    known("asset of a balance", r.asset_id, assets);
    known("sweep of a balance", r.sweep_id, sweeps);
    if (assetChain(r.asset_id) !== r.chain_id) problems.push("balance of " + r.asset_id + " on another chain");
  }
  for (const r of all.allocations) {
    known("asset of an allocation", r.asset_id, assets);
    if (r.is_gas_float && !r.asset_id.includes("/slip44:")) problems.push("gas float of " + r.asset_id + ", which pays no fees");
  }
  for (const r of all.reconciliations) {
    if (r.observed !== null) known("location of a reconciliation", r.location, places);
    known("asset of a reconciliation", r.asset_id, assets);
    known("sweep of a reconciliation", r.sweep_id, sweeps);
  }
  for (const r of all.transfers) {
    known("asset of a transfer", r.asset_id, assets);
    const named = r.uses.length ? r.uses.map((each) => each.authorization_id) : [r.authorization_id].filter(Boolean);
    for (const each of named) known("authorization of a transfer", each, approvals);
    if (![r.sender, r.receiver].some((at) => at !== null && wallets.has(account(r.chain_id, at)))) {
      problems.push("transfer " + r.tx_id + " touches no wallet of the bundle");
    }
  }
  for (const r of all.authorizations) {
    known("wallet of an authorization", account(r.chain_id, r.wallet), wallets);
    known("asset of an authorization", r.asset_id, assets);
  }
  for (const r of all.cases) if (r.asset_id !== null) known("asset of a case", r.asset_id, assets);
  if (String(manifest.scope.chains) !== String(all.sweeps.map((r) => r.chain_id).sort())) {
    problems.push("the chains of the scope are not those of the sweeps");
  }
  if (String(manifest.scope.rails) !== String([...new Set(all.reconciliations.map((r) => r.rail))].sort())) {
    problems.push("the rails of the scope are not those of the reconciliations");
  }
  return outcome(compared, problems.filter(Boolean));
}

function checkClaims(all) {
  const sums = new Map(), problems = [];
  for (const r of all.allocations) {
    const at = placeOf(r), found = sums.get(at) || { claimed: 0n, gas_float_recorded: 0n };
    found[r.is_gas_float ? "gas_float_recorded" : "claimed"] += r.base_units;
    sums.set(at, found);
  }
  for (const r of all.reconciliations) {
    const found = sums.get(placeOf(r)) || { claimed: 0n, gas_float_recorded: 0n };
    for (const name of Object.keys(found)) {
      if (r[name] !== found[name]) problems.push(placeOf(r) + ": " + name + " " + r[name] + ", its allocations add up to " + found[name]);
    }
    sums.delete(placeOf(r));
  }
  for (const at of sums.keys()) problems.push(at + ": allocated, and not reconciled");
  return outcome(all.reconciliations.length, problems);
}

// The balances that each reconciliation stands for: the wallet's own, or those of a pool's members on the asset's
// chain that have no reconciliation of their own for it.
function behindOf(all) {
  const own = new Set(all.reconciliations.map(placeOf)), wallets = new Map(all.wallets.map((r) => [account(r.chain_id, r.address), r]));
  const members = grouped(all.pools, (r) => "pool:" + r.pool_id);
  return (r) => {
    const wallet = wallets.get(r.location);
    if (wallet) return [key(wallet.chain_id, wallet.address, r.asset_id)];
    return (members.get(r.location) || [])
      .filter((each) => each.chain_id === assetChain(r.asset_id) && !own.has(key(account(each.chain_id, each.address), r.asset_id)))
      .map((each) => key(each.chain_id, each.address, r.asset_id));
  };
}

function checkObservations(all) {
  const balances = new Map(all.balances.map((r) => [key(r.chain_id, r.address, r.asset_id), r])), used = new Map();
  const problems = [], behind = behindOf(all);
  for (const r of all.reconciliations) {
    const at = placeOf(r);
    if (r.rail !== "digital") { problems.push(at + ": version 1 has no evidence for the rail " + r.rail); continue; }
    const keys = behind(r), found = keys.map((each) => balances.get(each)).filter(Boolean);
    for (const each of keys) used.set(each, (used.get(each) || 0) + 1);
    if (found.length !== keys.length) { problems.push(at + ": " + found.length + " balances for " + keys.length + " wallets"); continue; }
    if (found.some((each) => each.sweep_id !== r.sweep_id)) problems.push(at + ": balances of another sweep");
    const known = found.length > 0 && found.every((each) => each.status === "ok");
    const observed = known ? sum(found.map((each) => each.base_units)) : null;
    if (observed !== r.observed) problems.push(at + ": observed " + r.observed + ", its balances add up to " + observed);
  }
  for (const each of balances.keys()) if (used.get(each) !== 1) problems.push("balance " + each + " is counted " + (used.get(each) || 0) + " times");
  return outcome(all.reconciliations.length + balances.size, problems);
}

const negativePlaces = (all) => new Set(all.allocations.filter((r) => r.base_units < 0n).map(placeOf));
const skewMicros = (all) => BigInt(all.manifest.as_of_skew_seconds_max) * 1000000n;
function ledgerStatus(r, all, negative) {
  if (r.observed === null || apart(r.claimed_as_of, r.observed_as_of) > skewMicros(all)) return "unverified";
  return r.difference !== 0n || negative.has(placeOf(r)) ? "diverged" : "matched";
}

function checkDifferences(all) {
  const negative = negativePlaces(all), problems = [];
  const positive = (value) => (value > 0n ? value : 0n);
  for (const r of all.reconciliations) {
    const at = placeOf(r), wrong = (name, value) => { if (r[name] !== value) problems.push(at + ": " + name + " " + r[name] + ", should be " + value); };
    let gasFloat = 0n, difference = null;
    if (r.observed !== null) {
      const surplus = positive(r.observed - r.claimed), recorded = positive(r.gas_float_recorded);
      gasFloat = surplus < recorded ? surplus : recorded;
      difference = r.observed - r.claimed - gasFloat;
    }
    const ledger = ledgerStatus(r, all, negative), both = [ledger, r.statement ? r.statement.status : "matched"];
    wrong("gas_float_observed", gasFloat);
    wrong("difference", difference);
    wrong("status", ["diverged", "unverified"].find((each) => both.includes(each)) || "matched");
    if ((ledger === "unverified") !== (r.reason !== "")) problems.push(at + ": unverified without a reason, or a reason without being unverified");
    const said = r.statement;
    if (said && said.status !== "matched" && said.reason === "") problems.push(at + ": a statement is " + said.status + " without a reason");
    if (said && said.status === "matched") {
      if (said.base_units !== r.observed) problems.push(at + ": the statement says " + said.base_units + ", observed is " + r.observed + ", called matched");
      if (apart(said.as_of, r.observed_as_of) > skewMicros(all)) problems.push(at + ": the statement is of another moment, called matched");
    }
  }
  return outcome(all.reconciliations.length, problems);
}

function checkCounts(all) {
  const problems = [], obstacles = [];
  for (const sweep of all.sweeps) {
    const own = all.reconciliations.filter((r) => r.sweep_id === sweep.sweep_id);
    if (sweep.matched + sweep.diverged + sweep.unverified !== sweep.expected) {
      problems.push("sweep " + sweep.sweep_id + ": its counts do not add up to the " + sweep.expected + " expected");
    }
    for (const status of STATUSES) {
      const there = own.filter((r) => r.status === status).length;
      if (there !== sweep[status]) problems.push("sweep " + sweep.sweep_id + ": " + sweep[status] + " " + status + " stated, there are " + there);
    }
    if (sweep.expected === 0) obstacles.push("sweep " + sweep.sweep_id + " expected nothing");
  }
  return outcome(all.reconciliations.length, problems, obstacles);
}
