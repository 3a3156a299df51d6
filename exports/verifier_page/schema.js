// Sections 3 and 5 of the format: every record, field by field, and what each says of itself.
const FINALITY = /^(latest|safe|finalized|confirmed\([1-9][0-9]{0,5}\))$/;
const CLASSES = ["customer", "pab", "proprietary"], STATUSES = ["matched", "diverged", "unverified"];
const RAILS = ["digital", "securities", "control", "cash"], STATES = ["proven", "read", "stated"];
const ANCHORS = ["auditor", "agreed", "single"], GRANTS = ["allowance", "permit2", "operator", "approved"];
const EXECUTING = ["matched", "fee_over_limit"];
const SCHEMES = {
  eip155: ["eip191", "eip712", "eip1271"],
  bip122: ["bip322-simple", "bip322-full", "bip322-funds", "bip127", "legacy", "legacy-segwit", "multisig-keys", "transfer"],
};
const DECIMALS_MAX = 77, AMOUNT_MAX = (1n << 256n) - 1n, TREE_HEIGHT_MAX = 48;

const leaf = record({ digest, base_units: amount }, (r) =>
  must([r.base_units >= 0n && r.base_units <= AMOUNT_MAX, "a leaf is negative or does not fit 256 bits"]));
const cover = record({ location: locationId, asset_id: asset });
const witness = record({ node_id: id, operator: text });
const fact = record({ name: code, text: longText });
const use = record({ authorization_id: id, base_units: amount }, (r) => must([r.base_units > 0n, "it takes nothing"]));
const coin = record({ tx_id: digest, output: count, base_units: amount, script: scriptHex });
const shareHolder = record({ holder: text, shares: count });
const trace = record({ method: code, evidence: oneOf(...ANCHORS), witnesses: list(witness) }, (r) =>
  must([r.witnesses.length > 0, "a trace names no node"]));
const statement = record({
  base_units: amount, as_of: time, stated_by: text, statement_id: text, status: oneOf(...STATUSES), reason: text,
});
const challengeRecord = record({
  format: free, version: count, firm: shortText, asked_by: shortText, chain_id: chain, height: count, block_hash: blockHash,
  address_count: count, addresses_sha256: digest, nonce: digest, issued_at: time, expires_at: time,
  schemes: list(oneOf(...SCHEMES.eip155, ...SCHEMES.bip122)), transfer_to: orNull(address),
}, (r) => {
  const known = SCHEMES[namespace(r.chain_id)] || [];
  return must(
    [r.format === "custody-verifier-key-challenge" && r.version === 1, "no key challenge of version 1"],
    [r.expires_at > r.issued_at, "it expires before it is issued"],
    [r.address_count >= 1, "it asks nobody"],
    [r.schemes.length > 0 && String(r.schemes) === String(known.filter((each) => r.schemes.includes(each))), "its schemes are not those of its chain, in order"],
    [r.schemes.includes("transfer") === (r.transfer_to !== null), "a transfer goes nowhere"],
  );
});

const bytesInHex = words(/^0x(?:[0-9a-f]{2})+$/, 8000000, true), codeHash = words(/^(0x[0-9a-f]{64})?$/, 66, true);
const SLOT_ORDERS = ["solidity", "vyper", "seeded", "unprovable"];
function layoutRule(r) {
  const unprovable = r.order === "unprovable", proxy = r.implementation !== null, given = r.code_hash || r.implementation_code_hash;
  const plain = !given && !proxy && r.implementation_slot === null && r.mapping_slot === 0n && r.first_bit === 0 && r.bits === 256;
  const contract = r.asset_id.slice(r.asset_id.lastIndexOf(":") + 1), end = 1n << (r.order === "seeded" ? 96n : 256n);
  return must(
    [twoPeople(r.requested_by, r.approved_by), "not two people, each named, asked for it and approved it"],
    [unprovable === (r.reason !== ""), "it has a reason exactly when it is unprovable"],
    [r.asset_id.includes("/erc20:") && isEvmAddress(contract), "it is about no ERC-20 token"],
    [!proxy || isEvmAddress(r.implementation), "its implementation is no address"],
    [!unprovable || plain, "what is unprovable has no slot and no code hash"],
    [unprovable || r.code_hash !== "", "it names no code"],
    [unprovable || proxy === (r.implementation_code_hash !== ""), "an implementation, and nothing else, has a code hash"],
    [proxy || r.implementation_slot === null, "a slot of an implementation that there is not"],
    [r.mapping_slot >= 0n && r.mapping_slot < end, "its slot is out of bounds"],
    [r.implementation_slot === null || (r.implementation_slot >= 0n && r.implementation_slot <= AMOUNT_MAX), "its slot is out of bounds"],
    [r.bits >= 1 && r.first_bit + r.bits <= 256, "its field is out of bounds"],
  );
}

const plainHex = words(/^(?:[0-9a-f]{2})+$/, 8000000, true);
const OUTPUTS_MEANING = "The outputs listed were made by transactions in blocks, and the headers from there to the pinned block carry " +
  "their work. That they are unspent is what the sum of all blocks read says; no Bitcoin header commits to it, and nothing here proves it.";
const outsideText = words(null, 8000000, true);
const ascending = (facts) => facts.every((each, at) => !at || facts[at - 1].name < each.name);

const KINDS = {
  acceptances: record({
    acceptance_id: id, chain_id: chain, wallet: address, kind: oneOf(...GRANTS, "module", "delegate", "proxy_admin", "beacon"),
    asset_id: orNull(asset), subject: address, base_units_max: orNull(amount), valid_from: time, valid_until: time,
    reason: text, requested_by: text, approved_by: text, approved_at: time,
  }, (r) => must(
    [(r.asset_id !== null) === GRANTS.includes(r.kind), "its kind is not about one asset, or is"],
    [r.base_units_max === null || (r.asset_id !== null && r.base_units_max > 0n), "its amount is not positive"],
    [r.approved_at <= r.valid_from && r.valid_from < r.valid_until, "it is not approved, then begun, then ended"],
    [twoPeople(r.requested_by, r.approved_by), "not two people, each named, asked for it and approved it"],
  )),
  allocations: record({
    client_id: id, account_class: oneOf(...CLASSES), location: locationId, asset_id: asset, base_units: amount, is_gas_float: yesOrNo,
  }, (r) => must([!r.is_gas_float || r.account_class === "proprietary", "a gas float is proprietary"])),
  assets: record({
    asset_id: asset, symbol: text, decimals: count, legal_class: code, legal_class_from: date, legal_class_reference: text,
    dust_limit: amount,
  }, (r) => must(
    [r.decimals <= DECIMALS_MAX, "too many decimals"],
    [r.asset_id.split("/").length !== 3 || r.decimals === 0, "one token of a collection has no decimals"],
    [r.dust_limit >= 0n, "its dust limit is negative"],
  )),
  authorizations: record({
    authorization_id: id, chain_id: chain, wallet: address, asset_id: asset, base_units_max: amount, destination: address,
    fee_max: orNull(amount), valid_from: time, valid_until: time, purpose: code, requested_by: text, approved_by: text,
    approved_at: time, reference: text, client_id: idOrNone,
  }, (r) => must(
    [r.base_units_max > 0n, "it allows nothing"],
    [r.valid_until > r.valid_from, "it ends before it begins"],
    [twoPeople(r.requested_by, r.approved_by), "not two people, each named, asked for it and approved it"],
  )),
  balances: record({
    sweep_id: id, chain_id: chain, address, asset_id: asset, base_units: orNull(amount), status: oneOf("ok", "failed"),
    reason: text, height: count, block_hash: blockHash, parent_hash: blockHash, block_time: time, finality: text,
    method: text, node_id: id, operator: text, state: oneOf(...STATES), anchor: oneOf(...ANCHORS), grade: oneOf(...STATES),
    header_checked: yesOrNo,
  }, (r) => must(
    [(r.status === "ok") === (r.base_units !== null), "it has an amount and was not read, or the reverse"],
    [(r.status === "failed") === (r.reason !== ""), "a failed read has a reason, a good one has none"],
    [r.base_units === null || r.base_units >= 0n, "a balance is negative"],
    [FINALITY.test(r.finality), "no known finality"],
  )),
  bitcoin_headers: record({ chain_id: chain, first_height: count, previous_hash: digest, headers: plainHex }),
  bitcoin_inclusions: record({ chain_id: chain, address, shown: amount, not_shown: amount, reason: text, meaning: text }, (r) => must(
    [r.shown >= 0n && r.not_shown >= 0n && r.shown + r.not_shown > 0n, "what is shown and not shown is never negative, and not both nothing"],
    [(r.not_shown > 0n) === (r.reason !== ""), "what is not shown, and nothing else, has a reason"],
    [r.meaning === OUTPUTS_MEANING, "the words that say what an inclusion does not show are changed"],
  )),
  bitcoin_outputs: record({ chain_id: chain, address, tx_id: digest, output: count, base_units: amount, height: count }),
  bitcoin_transactions: record({ chain_id: chain, height: count, place: count, transaction: plainHex, branch: list(digest) }),
  cases: record({
    case_id: id, kind: code, status: oneOf("open", "proposed", "closed"), rail: oneOf(...RAILS), location: locationId,
    asset_id: orNull(asset), base_units: orNull(amount), opened_at: time, text, tx_ids: list(id), height: orNull(count),
    block_hash: orNull(blockHash), covers: list(cover), maker: text, proposed_at: orNull(time), checkers: list(text),
    decided_at: orNull(time),
  }, (r) => {
    const proposed = r.proposed_at !== null, decided = r.decided_at !== null, folded = r.checkers.map(foldCase);
    return must(
      [proposed === (r.maker !== "") && decided === (r.checkers.length > 0), "a proposal has a maker and a time, a decision checkers and a time"],
      [r.status !== "proposed" || (proposed && !decided), "a proposed case has a proposal, and no decision yet"],
      [r.status !== "open" || (!proposed && !decided), "an open case has neither proposal nor decision that stands"],
      [!decided || proposed, "nobody decides what was not proposed"],
      [!folded.includes("") && (!decided || !folded.includes(foldCase(r.maker))), "it was approved by its maker, or by nobody named"],
      [new Set(folded).size === folded.length, "one person approved it twice"],
      [!proposed || r.proposed_at >= r.opened_at, "it was proposed before it was opened"],
      [!decided || !proposed || r.decided_at >= r.proposed_at, "it was decided before it was proposed"],
    );
  }),
  control_reviews: record({
    sweep_id: id, chain_id: chain, status: oneOf("answered", "failed", "not_asked"), reason: text, node_id: text,
    permit2: orNull(address), approvals_first: orNull(count), approvals_last: orNull(count), approvals_late: count,
    wallets_asked: count, pairs_asked: count, restrictions_asked: count, grants: count, controls: count,
    restrictions: count, accepted: count,
  }, (r) => {
    const answered = r.status === "answered";
    const known = [r.permit2, r.approvals_first, r.approvals_last].every((each) => (each !== null) === answered);
    const none = !(r.wallets_asked || r.grants || r.controls || r.restrictions || r.accepted || r.approvals_late);
    return must(
      [answered === (r.reason === ""), "it was answered, or has a reason why not"],
      [known, "an answered one, and no other, says where approvals were looked for"],
      [answered || none, "without answers there are no records"],
    );
  }),
  controls: record({
    sweep_id: id, chain_id: chain, address, role: oneOf("wallet", "token"), facts: list(fact), unread: list(fact),
    nonce: orNull(count),
  }, (r) => must(
    [ascending(r.facts) && ascending(r.unread), "facts stand once each, by name"],
    [!r.facts.some((each) => r.unread.some((other) => other.name === each.name)), "a fact was read and was not"],
  )),
  grants: record({
    sweep_id: id, chain_id: chain, kind: oneOf(...GRANTS), owner: address, asset_id: asset, spender: address,
    base_units: orNull(amount), expires_at_seconds: orNull(count), exposed: orNull(amount), reason: text,
  }, (r) => must(
    [(r.base_units === null) === (r.reason !== ""), "it has an amount, or the reason why not"],
    [r.base_units === null || r.base_units > 0n, "a grant of nothing"],
    [r.expires_at_seconds === null || r.kind === "permit2", "this kind does not expire"],
  )),
  key_challenges: record({ challenge: challengeRecord, addresses: list(address) }, (r) => must(
    [r.addresses.every((each, at) => !at || r.addresses[at - 1] < each), "its addresses are not ascending, each once"])),
  key_proofs: record({
    nonce: id, chain_id: chain, address, scheme: oneOf(...SCHEMES.eip155, ...SCHEMES.bip122), signature: signatureText,
    answered_at: time, account_kind: code, node_id: text, height: count, block_hash: blockHash, parent_hash: blockHash,
    block_time: time, coins: list(coin),
  }),
  imported_evidence: record({ evidence_id: id, kind: oneOf("list", "bip127"), document: outsideText, digest, recorded_at: time }),
  inclusion_statements: inclusionStatement,
  liabilities: record({
    client_id: id, account_class: code, asset_id: asset, base_units: amount, position_key: orNull(digest), leaves: list(leaf),
  }, (r) => must(
    [r.base_units >= 0n, "a liability is negative"],
    [(r.position_key === null) === (r.leaves.length > 0), "a liability has its key, or its leaves"],
    [!r.leaves.length || r.leaves.length === 4, "a liability has 4 leaves"],
    [!r.leaves.length || sum(r.leaves.map((each) => each.base_units)) === r.base_units, "the leaves of a liability do not add up to it"],
  )),
  liability_roots: record({ root: digest, assets: count, positions: orNull(count) }),
  liability_totals: record({
    asset_id: asset, decimals: count, positions: orNull(count), owed: amount, below_zero: orNull(amount), height: count, root: digest,
    padding_key: orNull(digest), observed: orNull(amount), difference: orNull(amount), skew_seconds: count, status: code,
  }, (r) => must(
    [r.decimals <= DECIMALS_MAX, "too many decimals"],
    [r.owed >= 0n && r.owed <= AMOUNT_MAX && (r.below_zero === null || r.below_zero <= 0n), "its sums are out of their bounds"],
    [r.height <= TREE_HEIGHT_MAX, "too many levels"],
    [[r.positions, r.below_zero, r.padding_key].filter((each) => each === null).length % 3 === 0, "what tells of other owners is there as a whole, or not at all"],
    [(r.observed === null) === (r.difference === null), "a difference of what was not observed"],
  )),
  node_answers: record({
    sweep_id: id, chain_id: chain, node_id: id, method: code, addresses: list(address), asset_ids: list(asset), decided: count,
    answers: list(digest), reason: text,
  }, (r) => must(
    [r.addresses.length > 0 && r.asset_ids.length > 0, "kept answers are about no balance"],
    [new Set(r.addresses).size === r.addresses.length && new Set(r.asset_ids).size === r.asset_ids.length, "an address or asset is asked for twice"],
    [r.decided > 0 && r.decided <= r.addresses.length, "answers decide nothing, or what was not asked for"],
    [(r.answers.length > 0) === (r.reason === ""), "there are answers, or a reason why not"],
  )),
  pools: record({ pool_id: id, chain_id: chain, address, from_date: date, to_date: orNull(date) }),
  possession_reviews: record({
    review_id: id, as_of: date, document: documentText, digest, known_at: time, recorded_at: time, determined_on: date,
    act_by: date, replaces: idOrNone, reason: text,
  }, (r) => must(
    [r.as_of < r.determined_on && r.determined_on < r.act_by, "its days are not in order"],
    [(r.replaces !== "") === (r.reason !== ""), "a correction, and no other review, has a reason"],
  )),
  proof_gaps: record({ sweep_id: id, asset_id: asset, reason: text, holdings: count }, (r) => must(
    [r.holdings > 0 && r.reason !== "", "a gap of nothing, or without a reason"])),
  proof_headers: record({ chain_id: chain, block_hash: blockHash, header: bytesInHex }),
  proof_nodes: record({ node: bytesInHex }),
  reconciliations: record({
    sweep_id: id, rail: oneOf(...RAILS), location: locationId, asset_id: asset, claimed: amount, gas_float_recorded: amount,
    gas_float_observed: amount, observed: orNull(amount), difference: orNull(amount), status: oneOf(...STATUSES), reason: text,
    claimed_as_of: time, known_at: time, observed_as_of: time, statement: orNull(statement),
  }, (r) => must([(r.observed === null) === (r.difference === null), "a difference of what was not observed"])),
  reserve_computations: record({
    computation_id: id, as_of: date, scope: oneOf("customer", "pab", "both"), occasion: oneOf("regular", "extra", "test"),
    document: documentText, digest, known_at: time, recorded_at: time, compute_on: date, deposit_on: date, deposit_by: time,
    replaces: idOrNone, reason: text,
  }, (r) => must(
    [r.as_of < r.compute_on && r.compute_on < r.deposit_on, "its days are not in order"],
    [(r.replaces !== "") === (r.reason !== ""), "a correction, and no other computation, has a reason"],
  )),
  reserve_positions: record({ on: date, document: documentText, digest }),
  restrictions: record({
    sweep_id: id, asset_id: asset, question: text, holder: orNull(address),
    answer: oneOf("clear", "restricted", "not_offered", "unread"), reason: text,
  }, (r) => must([(r.answer === "unread") === (r.reason !== ""), "unread ones, and no others, have a reason"])),
  securities_runs: record({ run_id: id, as_of: date, document: documentText, digest, known_at: time, recorded_at: time },
    (r) => must([dayOf(r.recorded_at) >= r.as_of, "a day is compared after it closed"])),
  superseded_bundles: record({
    bundle_id: id, sequence: count, digest, chain_id: chain, height: count, block_hash: blockHash, found_at: time,
  }, (r) => must([r.sequence >= 1, "a bundle's sequence counts from 1"])),
  sweeps: record({
    sweep_id: id, chain_id: chain, height: count, block_hash: blockHash, parent_hash: blockHash, block_time: time,
    finality: text, header_checked: yesOrNo, witnesses: list(witness), expected: count, matched: count, diverged: count,
    unverified: count, coverage_first: orNull(count), coverage_last: orNull(count), started_at: time, finished_at: time,
  }, (r) => must(
    [FINALITY.test(r.finality), "no known finality"],
    [(r.coverage_first === null) === (r.coverage_last === null), "coverage has both heights or none"],
    [r.coverage_first === null || r.coverage_first <= r.coverage_last, "coverage ends before it begins"],
  )),
  token_layouts: record({
    asset_id: asset, order: oneOf(...SLOT_ORDERS), mapping_slot: amount, first_bit: count, bits: count, code_hash: codeHash,
    implementation: orNull(address), implementation_slot: orNull(amount), implementation_code_hash: codeHash, reason: text,
    requested_by: text, approved_by: text, approved_at: time,
  }, layoutRule),
  transaction_proofs: record({
    chain_id: chain, block_hash: blockHash, tx_id: id, place: count, header: bytesInHex,
    transaction_nodes: list(bytesInHex), receipt_nodes: list(bytesInHex),
  }),
  transfers: record({
    chain_id: chain, height: count, block_hash: blockHash, block_time: time, tx_id: id, index: amount,
    kind: oneOf("native", "token", "internal", "fee", "coinbase", "withdrawal"), asset_id: asset, sender: orNull(address),
    receiver: orNull(address), base_units: amount,
    outcome: orNull(oneOf(...EXECUTING, "unauthorized", "over_amount", "wrong_destination", "wrong_asset", "expired", "duplicate", "change")),
    authorization_id: idOrNone, uses: list(use), commingling: yesOrNo, for_review: yesOrNo, reason: text, trace: orNull(trace),
  }, (r) => must(
    [(r.kind === "internal") === (r.trace !== null), "an internal transfer, and no other, says who traced it"],
    [r.base_units >= 0n, "it moves less than nothing"],
    [r.sender !== null || r.receiver !== null, "it has neither sender nor receiver"],
    [!r.uses.length || EXECUTING.includes(r.outcome), "only a matched transfer executes authorizations"],
    [!r.uses.length || sum(r.uses.map((each) => each.base_units)) === r.base_units, "what it takes is not its amount"],
    [new Set(r.uses.map((each) => each.authorization_id)).size === r.uses.length, "it takes from one authorization twice"],
    [!r.uses.length || r.uses[0].authorization_id === r.authorization_id, "it does not name the first it executes"],
  )),
  wallets: record({
    chain_id: chain, address, structure: oneOf("omnibus", "fully_segregated"), titling: text, custodian: text, mpc_vault: text,
    key_scheme: text, threshold: count, share_count: count, share_holders: list(shareHolder), firm_alone_can_sign: yesOrNo,
    others_can_sign_without_firm: yesOrNo, opened_on: date, closed_on: orNull(date), gas_float_limit: amount,
  }, (r) => must([r.threshold >= 1 && r.threshold <= r.share_count, "its threshold is not 1 to share_count"])),
};

const PROOF_KINDS = ["bitcoin_headers", "bitcoin_transactions", "node_answers", "proof_headers", "proof_nodes", "transaction_proofs"];
const FILE_NAME = /^(?:views\/([a-z_]+\.csv|datapackage\.json)|answers\/([0-9a-f]{64}))$/;
function fileNameFits(r) {
  const found = FILE_NAME.exec(r.name);
  return found !== null && (found[2] === undefined || found[2] === r.sha256);
}
const fileMember = record({ name: text, size_bytes: count, sha256: digest }, (r) => must([fileNameFits(r), "no name of a table or of an answer"]));
const manifestRecord = record({
  format: free, format_version: count, bundle_id: id, sequence: count, previous_digest: orNull(digest),
  firm: record({ name: text, identifier: idOrNone }), as_of: time, created_at: time, as_of_skew_seconds_max: count,
  journal: record({ sequence: count, entry_digest: digest }, (r) => must([r.sequence >= 1, "a journal counts from 1"])),
  scope: record({ rails: list(oneOf(...RAILS)), chains: list(free), text }),
  withheld: list(record({ what: text, why: text })), profile: oneOf("full", "pseudonymous", "client"), subject: idOrNone,
  full_digest: orNull(digest), disclosure: list(disclosed),
  members: list(record({ name: text, kind: code, records: count, size_bytes: count, sha256: digest })), files: list(fileMember),
}, (r) => must(
  [r.sequence >= 1 && (r.sequence === 1) === (r.previous_digest === null), "its sequence and the bundle before do not fit"],
  [r.as_of_skew_seconds_max <= 604800, "figures may lie more than a week apart: that compares nothing"],
  [r.created_at >= r.as_of, "it was made before the moment it speaks of"],
  [r.scope.chains.every((each, at) => !at || r.scope.chains[at - 1] < each), "the chains of its scope are not ascending"],
  [r.files.length <= 8192, "there are too many files"],
  [r.files.every((each, at) => !at || r.files[at - 1].name < each.name), "the files are not ascending, each once"],
) || profileRule(r));

function parseManifest(bytes) {
  const value = parseCanonical(bytes);
  if (value === null || typeof value !== "object" || value.format !== "custody-verifier-bundle") refuse("this is no bundle");
  if (!Number.isSafeInteger(value.format_version) || value.format_version < 1) refuse("format_version is no positive number");
  if (value.format_version !== 1) throw new Obstacle("format version " + value.format_version + "; this page knows 1");
  const manifest = manifestRecord(value), folder = (kind) => (PROOF_KINDS.includes(kind) ? "proofs/" : "records/");
  const wanted = Object.keys(KINDS).map((kind) => folder(kind) + kind + ".jsonl " + kind).sort();
  if (String(manifest.members.map((each) => each.name + " " + each.kind)) !== String(wanted)) {
    refuse("the members are not exactly those of this version, ascending");
  }
  return manifest;
}
