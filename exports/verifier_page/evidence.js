// Checks 11 to 15: exceptions and their cases, grades, pinned blocks, transfers, and the bundle's place.
const SURPLUS = ["excess", "unallocated_balance", "unmapped_balance"];

function checkExceptions(all) {
  const dust = new Map(all.assets.map((r) => [r.asset_id, r.dust_limit])), negative = negativePlaces(all), problems = [];
  const open = new Set(); // of each covered place and kind: by its own case, by one of the whole chain
  for (const each of all.cases) {
    if (each.status === "closed") continue;
    for (const at of each.covers) open.add(key(placeOf(at), each.kind, each.location === assetChain(at.asset_id)));
  }
  const transactions = new Set(all.cases.flatMap((each) => each.tx_ids));
  for (const r of all.reconciliations) {
    const ledger = ledgerStatus(r, all, negative), said = r.statement ? r.statement.status : "matched", needed = [];
    if (ledger === "unverified") needed.push(["unverified"]);
    else if (r.difference < 0n) needed.push(["shortfall"]);
    else if (r.difference > 0n) needed.push(SURPLUS);
    if (negative.has(placeOf(r))) needed.push(["negative_allocation"]);
    if (said === "diverged") needed.push(["custodian_mismatch"]);
    if (said === "unverified") needed.push(["unverified"]);
    for (const kinds of needed) {
      const large = kinds === SURPLUS && r.difference >= (dust.get(r.asset_id) || 0n);
      const covered = kinds.some((kind) => open.has(key(placeOf(r), kind, false)) || (!large && open.has(key(placeOf(r), kind, true))));
      if (!covered) problems.push(placeOf(r) + ": no open case of kind " + kinds.join(" or "));
    }
  }
  const judged = all.transfers.filter((r) => r.outcome !== null);
  for (const r of judged) {
    const inOrder = ["matched", "change"].includes(r.outcome) && !r.commingling;
    if (!inOrder && !transactions.has(r.tx_id)) problems.push("transfer " + r.tx_id + ": " + r.outcome + " without a case");
  }
  return outcome(all.reconciliations.length + judged.length, problems);
}

// How many operators vouch: each needs a name and a node of its own.
function operatorsOf(witnesses) {
  const named = witnesses.filter((each) => each.operator.trim() !== "");
  const operators = new Set(named.map((each) => foldCase(each.operator)));
  return Math.min(operators.size, new Set(named.map((each) => each.node_id)).size);
}

function checkGrades(all) {
  const sweeps = new Map(all.sweeps.map((r) => [r.sweep_id, operatorsOf(r.witnesses)])), problems = [];
  for (const r of all.balances) {
    const where = "balance " + key(r.address, r.asset_id) + ": ", earned = r.state === "proven" && r.anchor === "single" ? "read" : r.state;
    if (r.grade !== earned) problems.push(where + "graded " + r.grade + ", its evidence carries " + earned);
    if (r.state === "proven" && !r.header_checked) problems.push(where + "proven under a header that was not recomputed");
    if (r.anchor === "auditor") problems.push(where + "only the reader's own node anchors as auditor");
    if (r.anchor === "agreed" && !(sweeps.get(r.sweep_id) > 1)) problems.push(where + "agreed by fewer than two operators");
  }
  const traced = all.transfers.filter((r) => r.trace !== null);
  for (const r of traced) {
    const wanted = operatorsOf(r.trace.witnesses) > 1 ? "agreed" : "single";
    if (r.trace.evidence !== wanted) problems.push("transfer " + r.tx_id + ": traced as " + r.trace.evidence + ", it is " + wanted);
  }
  return outcome(all.balances.length + traced.length, problems);
}

function checkPins(all) {
  const sweeps = new Map(all.sweeps.map((r) => [r.sweep_id, r])), problems = [], made = all.manifest.created_at;
  for (const r of all.balances) {
    const sweep = sweeps.get(r.sweep_id), where = "balance " + key(r.address, r.asset_id) + ": ";
    if (!sweep) continue; // check 6 says so
    for (const name of ["chain_id", "height", "block_hash", "parent_hash", "block_time", "finality", "header_checked"]) {
      if (r[name] !== sweep[name]) problems.push(where + name + " is not as in its sweep");
    }
    if (!sweep.witnesses.some((each) => each.node_id === r.node_id && each.operator === r.operator)) problems.push(where + "its node is no witness of the block");
  }
  for (const r of all.reconciliations) {
    const sweep = sweeps.get(r.sweep_id);
    if (sweep && assetChain(r.asset_id) !== sweep.chain_id) problems.push(placeOf(r) + ": reconciled in a sweep of another chain");
    if (sweep && r.observed_as_of !== sweep.block_time) problems.push(placeOf(r) + ": observed_as_of is not the block's time");
    if (r.known_at > made) problems.push(placeOf(r) + ": uses a book later than the bundle");
  }
  for (const r of all.sweeps) {
    if (!(r.started_at <= r.finished_at && r.finished_at <= made)) problems.push("sweep " + r.sweep_id + ": started, finished and bundle made are out of order");
  }
  return outcome(all.balances.length, problems);
}

// Whether a payment of the one wallet may be approved in the other's name: the same one, and on chains of outputs those
// that the bundle does not keep apart by structure, pool or client.
function payingTogether(all) {
  const wallets = new Map(all.wallets.map((r) => [account(r.chain_id, r.address), r]));
  const pools = grouped(all.pools, (r) => account(r.chain_id, r.address));
  const owners = grouped(all.allocations.filter((r) => r.base_units !== 0n && !r.is_gas_float), (r) => r.location);
  const namesOf = (at, of, field) => new Set((of.get(at) || []).map((r) => r[field]));
  return (chainId, one, other) => {
    if (one === null || other === null) return false;
    if (one === other) return true;
    const [here, there] = [account(chainId, one), account(chainId, other)], [first, second] = [wallets.get(here), wallets.get(there)];
    if (namespace(chainId) !== "bip122" || !first || !second || first.structure !== second.structure) return false;
    if (first.structure === "fully_segregated") return new Set([...namesOf(here, owners, "client_id"), ...namesOf(there, owners, "client_id")]).size <= 1;
    const [mine, others] = [namesOf(here, pools, "pool_id"), namesOf(there, pools, "pool_id")];
    return !mine.size || !others.size || [...mine].some((each) => others.has(each));
  };
}

function checkTransfers(all) {
  const sweeps = new Map(all.sweeps.map((r) => [r.chain_id, r])), wallets = new Set(all.wallets.map((r) => account(r.chain_id, r.address)));
  const approvals = new Map(all.authorizations.map((r) => [r.authorization_id, r])), together = payingTogether(all), problems = [];
  const blocks = new Map(all.sweeps.map((r) => [key(r.chain_id, r.height), r.block_hash])), used = new Map(), executed = new Map(), fees = new Map();
  const isWallet = (chainId, at) => at !== null && wallets.has(account(chainId, at)), add = (map, at, value) => map.set(at, (map.get(at) || 0n) + value);
  for (const r of all.sweeps) {
    if (r.coverage_last !== null && r.coverage_last !== r.height) problems.push("sweep " + r.sweep_id + ": transfers are covered up to " + r.coverage_last + " only");
  }
  for (const r of all.transfers) {
    const where = "transfer " + r.tx_id + "/" + r.kind + "/" + r.index + ": ", sweep = sweeps.get(r.chain_id), block = key(r.chain_id, r.height);
    const covered = sweep && sweep.coverage_first !== null && sweep.coverage_first <= r.height && r.height <= sweep.coverage_last;
    if (!covered) problems.push(where + "block " + r.height + " is not covered by the chain's sweep");
    if (!blocks.has(block)) blocks.set(block, r.block_hash);
    if (blocks.get(block) !== r.block_hash) problems.push(where + "two blocks at height " + r.height);
    const moves = r.base_units !== 0n && r.sender !== r.receiver, transaction = key(r.block_hash, r.tx_id);
    if (isWallet(r.chain_id, r.sender) && moves && r.kind !== "fee" && r.outcome === null) problems.push(where + "leaves a wallet and was held against no authorization");
    if (EXECUTING.includes(r.outcome) && !r.uses.length && moves) problems.push(where + r.outcome + ", and no authorization is named for it");
    if (r.outcome === "change" && !(namespace(r.chain_id) === "bip122" && together(r.chain_id, r.sender, r.receiver))) {
      problems.push(where + "called change, and it did not come back to who paid");
    }
    if (r.kind === "fee" && isWallet(r.chain_id, r.sender)) add(fees, transaction, r.base_units);
    for (const each of r.uses) {
      const approval = approvals.get(each.authorization_id);
      if (!approval) continue; // check 6 says so
      add(used, approval, each.base_units);
      if (r.outcome === "matched") executed.set(transaction, (executed.get(transaction) || new Set()).add(approval));
      const same = approval.chain_id === r.chain_id, tooEarly = micros(approval.approved_at) - micros(r.block_time) > 15000000n;
      const terms = {
        chain: same, wallet: same && together(r.chain_id, r.sender, approval.wallet), asset: approval.asset_id === r.asset_id,
        destination: approval.destination === r.receiver,
        time: !tooEarly && approval.valid_from <= r.block_time && r.block_time <= approval.valid_until,
      };
      for (const [name, fits] of Object.entries(terms)) if (!fits) problems.push(where + name + " is not as " + each.authorization_id + " allows");
    }
  }
  for (const [approval, total] of used) {
    if (total > approval.base_units_max) problems.push(approval.authorization_id + " allows " + approval.base_units_max + ", its transfers move " + total);
  }
  for (const [transaction, named] of executed) {
    const limits = [...named].map((each) => each.fee_max), paid = fees.get(transaction) || 0n;
    if (!limits.includes(null) && paid > sum(limits)) problems.push("transaction " + transaction + ": fee " + paid + ", allowed are " + sum(limits));
  }
  return outcome(all.transfers.length + all.sweeps.length, problems);
}

// Earlier bundles of the firm whose block left its chain: named, and nothing here rests on those blocks.
function supersededProblems(all, earlier) {
  const { manifest } = all, problems = [], places = new Set(), names = new Map();
  const known = new Map([[manifest.sequence - 1, manifest.previous_digest]]);
  if (earlier && !known.has(earlier.sequence)) known.set(earlier.sequence, earlier.digest);
  const used = new Set([...all.sweeps, ...all.transfers].map((r) => key(r.chain_id, r.block_hash)));
  for (const r of all.superseded_bundles) {
    const where = "superseded bundle " + r.sequence + " on " + r.chain_id + ": ", name = key(r.bundle_id, r.digest);
    const place = key(r.sequence, r.chain_id);
    if (r.sequence >= manifest.sequence) problems.push(where + "it is no earlier bundle");
    if (known.has(r.sequence) && known.get(r.sequence) !== r.digest) problems.push(where + "another digest than the bundle of that number");
    if (names.has(r.sequence) && names.get(r.sequence) !== name) problems.push(where + "two bundles of one number");
    if (places.has(place)) problems.push(where + "named twice");
    if (r.found_at > manifest.created_at) problems.push(where + "found after this bundle was made");
    if (used.has(key(r.chain_id, r.block_hash))) problems.push(where + "this bundle uses the block that left the chain");
    names.set(r.sequence, name);
    places.add(place);
  }
  return problems;
}

// `earlier` is the sequence and digest of a bundle the reader had before, or null.
function checkPlace({ manifest, ...all }, earlier) {
  const note = "journal entry " + manifest.journal.sequence + ", bundle " + manifest.sequence, named = all.superseded_bundles.length;
  const problems = supersededProblems(manifest, all, earlier);
  if (!earlier) return outcome(1 + named, problems, [], note + "; not compared with an earlier bundle");
  if (manifest.sequence <= earlier.sequence) problems.push("bundle " + manifest.sequence + " does not come after bundle " + earlier.sequence);
  if (manifest.sequence === earlier.sequence + 1 && manifest.previous_digest !== earlier.digest) {
    problems.push("it does not name the earlier bundle's digest as the one before");
  }
  const gone = all.superseded_bundles.some((r) => r.sequence === earlier.sequence) ? "; the earlier bundle, which you have, is superseded" : "";
  const between = manifest.sequence > earlier.sequence + 1 ? "; bundles between were not given: numbers compared, not digests" : "";
  return outcome((between ? 1 : 2) + named, problems, [], note + gone + between);
}

// Earlier bundles that a reorganisation touched, each with the identity it had, and nothing here of blocks that are gone.
function supersededProblems(manifest, all, earlier) {
  const problems = [], identities = new Map(), known = new Map([[manifest.sequence - 1, manifest.previous_digest]]);
  if (earlier && !known.has(earlier.sequence)) known.set(earlier.sequence, earlier.digest);
  const used = new Set([...all.sweeps, ...all.transfers].map((r) => key(r.chain_id, r.block_hash)));
  problems.push(...twice(all.superseded_bundles, (r) => key(r.sequence, r.chain_id)).map((at) => "superseded bundle " + at + ": named twice"));
  for (const r of all.superseded_bundles) {
    const where = "superseded bundle " + r.sequence + " on " + r.chain_id + ": ", own = key(r.bundle_id, r.digest);
    if (!identities.has(r.sequence)) identities.set(r.sequence, own);
    if (r.sequence >= manifest.sequence) problems.push(where + "it is no earlier bundle");
    if (known.has(r.sequence) && known.get(r.sequence) !== r.digest) problems.push(where + "it has another digest than the bundle of that number");
    if (identities.get(r.sequence) !== own) problems.push(where + "two bundles of one number");
    if (r.found_at > manifest.created_at) problems.push(where + "found after this bundle was made");
    if (used.has(key(r.chain_id, r.block_hash))) problems.push(where + "this bundle uses the block that is said to have left the chain");
  }
  return problems;
}
