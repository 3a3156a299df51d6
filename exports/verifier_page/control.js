// Check 18: who else could move what is in the wallets, computed again, and that each of it has a case or a decision.
const TAKERS = { modules: "module", proxy_admin: "proxy_admin", beacon: "beacon", delegate: "delegate" };

const factOf = (state, name) => (state.facts.find((each) => each.name === name) || { text: "" }).text;
const listed = (state, name) => (["", "none"].includes(factOf(state, name)) ? [] : factOf(state, name).split(","));
const takersOf = (state) => Object.entries(TAKERS).flatMap(([name, kind]) => listed(state, name).map((subject) => ({ kind, subject })));

function referenceProblems(all) {
  const problems = [], sweeps = new Map(all.sweeps.map((r) => [r.sweep_id, r])), chains = new Map(all.sweeps.map((r) => [r.chain_id, r]));
  const wallets = new Set(all.wallets.map((r) => account(r.chain_id, r.address))), assets = new Set(all.assets.map((r) => r.asset_id));
  const chainOf = (sweepId) => (sweeps.has(sweepId) ? sweeps.get(sweepId).chain_id : null);
  const tokens = new Set([...assets].map((each) => each.slice(each.lastIndexOf(":") + 1)));
  const say = (holds, words) => { if (!holds) problems.push(words); };
  for (const r of all.grants) {
    say(chainOf(r.sweep_id) === r.chain_id, "grant of " + r.owner + ": not of its chain's sweep");
    say(wallets.has(account(r.chain_id, r.owner)), "grant of " + r.owner + ": no mapped wallet");
    say(assets.has(r.asset_id) && assetChain(r.asset_id) === r.chain_id, "grant of " + r.owner + ": no asset of its chain");
  }
  for (const r of all.acceptances) {
    const sweep = chains.get(r.chain_id), where = "acceptance " + r.acceptance_id + ": ";
    say(wallets.has(account(r.chain_id, r.wallet)), where + "no mapped wallet");
    say(r.asset_id === null || (assets.has(r.asset_id) && assetChain(r.asset_id) === r.chain_id), where + "no asset of its chain");
    say(sweep && r.valid_from <= sweep.block_time && sweep.block_time <= r.valid_until, where + "not in force at the block's time");
  }
  for (const r of all.controls) {
    say(chainOf(r.sweep_id) === r.chain_id, "control of " + r.address + ": not of its chain's sweep");
    const there = r.role === "wallet" ? wallets.has(account(r.chain_id, r.address)) : tokens.has(r.address);
    say(there, "control of " + r.address + ": neither a mapped wallet nor an asset's contract");
  }
  for (const r of all.restrictions) {
    const own = chainOf(r.sweep_id);
    say(own !== null && assets.has(r.asset_id) && assetChain(r.asset_id) === own, "restriction of " + r.asset_id + ": no asset of its sweep's chain");
    say(r.holder === null || own === null || wallets.has(account(own, r.holder)), "restriction of " + r.holder + ": no mapped wallet");
  }
  const doubled = {
    acceptance: twice(all.acceptances, (r) => r.acceptance_id),
    grant: twice(all.grants, (r) => key(r.chain_id, r.kind, r.owner, r.asset_id, r.spender)),
    control: twice(all.controls, (r) => account(r.chain_id, r.address)),
    restriction: twice(all.restrictions, (r) => key(r.asset_id, r.question, r.holder)),
  };
  for (const [what, found] of Object.entries(doubled)) problems.push(...found.map((at) => what + " " + at + " stands more than once"));
  return problems;
}

function reviewProblems(sweep, review, all) {
  const problems = [], say = (holds, words) => { if (!holds) problems.push(words); };
  const chainId = sweep.chain_id, second = BigInt(micros(sweep.block_time)) / 1000000n, name = "review of " + sweep.sweep_id + ": ";
  const own = (records) => records.filter((r) => r.sweep_id === sweep.sweep_id);
  const grants = own(all.grants), controls = own(all.controls), restrictions = own(all.restrictions);
  const mapped = all.wallets.filter((r) => r.chain_id === chainId && (r.closed_on === null || r.closed_on >= dayOf(sweep.block_time)));
  const open = [...new Map(mapped.map((r) => [r.address, r])).values()]; // one that stands twice is check 6's matter
  const balances = new Map(all.balances.filter((r) => r.chain_id === chainId).map((r) => [key(r.address, r.asset_id), r.base_units]));
  const cases = new Set(all.cases.map((r) => key(r.kind, r.location, r.asset_id))), places = new Set(all.cases.map((r) => key(r.kind, r.location)));
  const toPermit2 = new Map(grants.filter((r) => r.kind === "allowance" && r.spender === review.permit2).map((r) => [key(r.owner, r.asset_id), r.base_units]));
  const decisions = all.acceptances.filter((r) => r.chain_id === chainId && r.valid_from <= sweep.block_time && sweep.block_time <= r.valid_until);
  const decided = (wallet, kind, assetId, subject, units) => decisions.some((r) =>
    r.wallet === wallet && r.kind === kind && r.asset_id === assetId && r.subject === subject &&
    (units === undefined || r.base_units_max === null || units <= r.base_units_max));
  const hasCase = (kind, place, assetId) => cases.has(key(kind, place, assetId)) || (kind === "unverified" && cases.has(key(kind, chainId, assetId)));
  const ended = (r) => r.expires_at_seconds !== null && BigInt(r.expires_at_seconds) < second;
  const accepted = (r) => !ended(r) && r.base_units !== null && decided(r.owner, r.kind, r.asset_id, r.spender, r.base_units);
  const takers = (state) => takersOf(state).map((each) => decided(state.address, each.kind, null, each.subject));

  say(review.chain_id === chainId, name + "of another chain");
  const counts = { grants: grants.length, controls: controls.length, restrictions: restrictions.length };
  for (const [what, there] of Object.entries(counts)) say(review[what] === there, name + review[what] + " " + what + " stated, there are " + there);
  say(review.status !== "failed" || hasCase("unverified", chainId, null), name + "failed without a case");
  if (review.status !== "answered") return problems;

  const asked = controls.filter((r) => r.role === "wallet").map((r) => r.address).sort();
  say(String(asked) === String(open.map((r) => r.address).sort()) && review.wallets_asked === asked.length, name + asked.length + " wallets were asked, " + open.length + " are mapped and open");
  const inOrder = review.approvals_first <= review.approvals_last && review.approvals_last <= sweep.height;
  say(inOrder, name + "approvals were looked for in blocks that are not in order");
  const gap = review.approvals_first > 0 || review.approvals_last < sweep.height || review.approvals_late > 0;
  say(!inOrder || !gap || cases.has(key("coverage_gap", chainId, null)), name + "approvals were not looked for in every block, without a case");
  const taken = controls.filter((r) => r.role === "wallet").flatMap(takers).filter(Boolean).length + grants.filter(accepted).length;
  say(review.accepted === taken, name + review.accepted + " accepted stated, the decisions accept " + taken);

  for (const r of grants) {
    const where = "grant of " + r.owner + " to " + r.spender + ": ", place = account(chainId, r.owner), at = key(r.owner, r.asset_id);
    const limits = [r.base_units, balances.has(at) ? balances.get(at) : null];
    if (r.kind === "permit2") limits.push(toPermit2.has(at) ? toPermit2.get(at) : 0n);
    let exposed = limits.includes(null) ? null : limits.reduce((least, each) => (each < least ? each : least));
    if (ended(r) || limits.includes(0n)) exposed = 0n;
    say(r.exposed === exposed, where + "exposed " + r.exposed + ", should be " + exposed);
    const kind = r.base_units === null ? "unverified" : "encumbrance", shared = r.kind === "operator" && cases.has(key(kind, place, null));
    const needsNone = accepted(r) || (ended(r) && r.base_units !== null);
    say(needsNone || shared || hasCase(kind, place, r.asset_id), where + "without a case of kind " + kind);
  }
  for (const r of controls) {
    const where = "control of " + r.address + ": ", place = account(chainId, r.address), isWallet = r.role === "wallet", kind = factOf(r, "account_kind");
    say(kind !== "" || r.unread.some((each) => each.name === "account_kind"), where + "says neither what account it is nor why not");
    const unread = r.unread.length > 0 || (isWallet && r.nonce === null);
    say(!unread || hasCase("unverified", isWallet ? place : chainId, null), where + "not fully read, without a case");
    if (!isWallet) continue;
    say(kind !== "contract" || hasCase("unverified", place, null), where + "a contract of an unknown kind, without a case");
    say(takers(r).every(Boolean) || places.has(key("encumbrance", place)), where + "somebody else can move everything here, without a case");
    say(kind !== "delegated" || listed(r, "delegate").length > 0, where + "delegated to nobody");
    const wallet = open.find((each) => each.address === r.address);
    if (kind === "safe" && factOf(r, "owners") && factOf(r, "threshold") && wallet) {
      const same = factOf(r, "threshold") === String(wallet.threshold) && listed(r, "owners").length === wallet.share_count;
      say(same || places.has(key("control_change", place)), where + "its owners are not as mapped, without a case");
    }
  }
  for (const r of restrictions) {
    const kind = { restricted: "encumbrance", unread: "unverified" }[r.answer], place = r.holder === null ? chainId : account(chainId, r.holder);
    say(!kind || hasCase(kind, place, r.asset_id), r.asset_id + ": " + r.question + " is " + r.answer + ", without a case");
  }
  return problems;
}

function checkControl(all) {
  const problems = referenceProblems(all), reviews = grouped(all.control_reviews, (r) => r.sweep_id);
  for (const sweep of all.sweeps) {
    const own = reviews.get(sweep.sweep_id) || [];
    reviews.delete(sweep.sweep_id);
    if (own.length !== 1) problems.push("sweep " + sweep.sweep_id + ": " + own.length + " reviews of who else could move it");
    else problems.push(...reviewProblems(sweep, own[0], all));
  }
  for (const each of reviews.keys()) problems.push("a review of sweep " + each + ", which is not in the bundle");
  return outcome(all.sweeps.length + all.grants.length + all.controls.length + all.restrictions.length + all.acceptances.length, problems);
}
