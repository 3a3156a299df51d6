// All checks in order, each resting on those before it. Numbers and names are those of section 6.
const NAMES = {
  1: "the container is one strict zip", 2: "the manifest is canonical and of a known version",
  3: "trusted keys signed the manifest", 4: "every member is the one the manifest names",
  5: "every record is canonical and of its schema", 6: "every reference resolves, every id is unique",
  7: "claimed is the sum of allocations", 8: "observed is the sum of balances", 9: "differences and statuses compute",
  10: "sweeps account for every expected holding", 11: "every exception has its case", 12: "no grade is over-claimed",
  13: "balances are of one pinned block", 14: "transfers are covered and judged",
  15: "the bundle has its place in the journal and sequence", 16: "your node has the pinned block",
  17: "your node has the same balances", 18: "who else could move it is stated and has its cases",
  19: "wallets' keys signed their proofs of control", 20: "your node bears out proofs that rest on the chain",
  21: "your node says the same of who else could move it", 22: "the liabilities tree is made from the allocations",
  23: "the reserve follows from its own inputs", 24: "state proofs lead to the balances that claim them",
  25: "time stamps are of this bundle", 26: "transactions with an exception stand in their blocks",
  27: "possession or control follows from its own inputs", 28: "positions at custodians are compared with what they state",
  29: "Bitcoin outputs were made in their blocks", 30: "others' evidence is worth what is said of it",
  31: "tables say what the records say", 32: "kept answers of nodes say the balances",
};
// What this page leaves to `custody verify`, and says so each time.
const NOT_HERE = {
  16: "it needs a node; this page has no network", 17: "it needs a node; this page has no network",
  20: "it needs a node; this page has no network", 21: "it needs a node; this page has no network",
  19: "signatures of Bitcoin addresses need its script rules; those of EVM accounts are judged by this page",
  23: "numbers, digests, sums and deficits are checked again; the rule's percentages, its policies and what of the accounts counts are not",
  25: "time stamps are not read by this page",
  26: "of tokens, ERC-20 and ERC-721 transfers are read here; what else a receipt may show, as of wrapped coins, is not",
  30: "signatures of EVM accounts are judged again; those of Bitcoin addresses are not",
  32: "answers are decoded again; that the program which a node was asked to run is the scanner is not looked at",
  27: "numbers, digests, sums and deficits are checked again; which locations count, the 140 percent and the policies are not",
};
const STATUS = { passed: "passed", failed: "failed", impossible: "not_possible", unasked: "not_requested", withheld: "withheld", elsewhere: "not_here" };
const SIGNATURE_MEMBER = /^signatures\/([0-9a-f]{64})\.dsse\.json$/, STAMP_MEMBER = /^timestamps\/([0-9a-f]{64})\.tsr$/, PROBLEMS_SHOWN = 20;

function judged(number, found) {
  const { compared, problems, obstacles, note } = found;
  const status = problems.length ? STATUS.failed : obstacles.length || !compared ? STATUS.impossible : STATUS.passed;
  const reasons = [...problems, ...obstacles], empty = status === STATUS.impossible && !reasons.length ? "there was nothing to compare" : "";
  return { number, name: NAMES[number], status, compared, note: empty || note, reasons: reasons.slice(0, PROBLEMS_SHOWN), more: Math.max(0, reasons.length - PROBLEMS_SHOWN) };
}
const skipped = (number, status, note, compared = 0) => ({ number, name: NAMES[number], status, compared, note, reasons: [], more: 0 });

// `source`: {size, read(from, to)}. `reader`: {trusted, trustedProblem, now, earlier, progress(number)}. Raises nothing
// for a bad bundle.
async function verify(source, reader) {
  const report = { checks: [], manifest: null, all: null, accepted: [] };
  const add = (check) => { report.checks.push(check); return check.status === STATUS.passed; };
  const attempt = async (number, work) => {
    if (reader.progress) await reader.progress(number);
    try { return await work(); } catch (error) {
      const contradicts = error instanceof Contradiction;
      const words = contradicts || error instanceof Obstacle ? error.message : "this page could not do it: " + error;
      add(judged(number, outcome(contradicts ? 1 : 0, contradicts ? [words] : [], contradicts ? [] : [words])));
      return null;
    }
  };
  await runChecks(source, reader, report, add, attempt);
  const stopped = report.checks.find((check) => check.status !== STATUS.passed);
  for (const number of Object.keys(NAMES).map(Number)) {
    if (report.checks.some((check) => check.number === number)) continue;
    const needsNode = [16, 17, 20, 21].includes(number);
    add(needsNode ? skipped(number, STATUS.elsewhere, NOT_HERE[number]) : skipped(number, STATUS.impossible, "rests on check " + stopped.number));
  }
  report.checks.sort((one, other) => one.number - other.number);
  const has = (status) => report.checks.some((check) => check.status === status);
  report.exit_code = has(STATUS.failed) ? 1 : has(STATUS.impossible) || has(STATUS.withheld) ? 2 : 0;
  return report;
}

async function runChecks(source, reader, report, add, attempt) {
  const entries = await attempt(1, () => openContainer(source.size, source.read));
  if (!entries) return;
  const contents = (entry) => source.read(entry.data, entry.data + entry.size), digests = new Map(), broken = [];
  const read = await attempt(1, async () => {
    for (const entry of entries.values()) {
      const data = await contents(entry);
      if (crc32(data) !== entry.crc) broken.push(entry.name + ": the content does not have its checksum");
      digests.set(entry.name, hex(new Uint8Array(await crypto.subtle.digest("SHA-256", data))));
    }
    return true;
  });
  if (!read || !add(judged(1, outcome(digests.size, broken)))) return;
  const manifestBytes = await attempt(2, async () => {
    const entry = entries.get("manifest.json");
    if (!entry) refuse("there is no manifest.json");
    if (entry.size > LIMITS.manifest) refuse("the manifest is larger than 4 MiB");
    const bytes = await contents(entry);
    report.manifest = parseManifest(bytes);
    return bytes;
  });
  if (!manifestBytes) return;
  report.digest = digests.get("manifest.json");
  add(judged(2, outcome(1, [], [], "SHA-256 " + report.digest)));
  const stamps = [...entries.values()].filter((entry) => STAMP_MEMBER.test(entry.name));
  const tooMuch = stamps.filter((entry) => entry.size > LIMITS.stamp).map((entry) => entry.name + " is larger than 256 KiB");
  if (stamps.length > LIMITS.stamps) tooMuch.push(stamps.length + " time stamps; at most " + LIMITS.stamps + " are read");
  if (tooMuch.length) add(judged(25, outcome(stamps.length, tooMuch)));
  else add(stamps.length ? skipped(25, STATUS.elsewhere, NOT_HERE[25]) : skipped(25, STATUS.unasked, "the bundle has no time stamp"));
  await attempt(3, () => checkSignatures(entries, contents, manifestBytes, reader, report, add));
  const named = new Map([...report.manifest.members, ...report.manifest.files].map((each) => [each.name, each])), wrong = [];
  for (const each of named.values()) {
    const entry = entries.get(each.name);
    if (!entry) wrong.push(each.name + " is missing");
    else if (entry.size !== each.size_bytes || digests.get(each.name) !== each.sha256) wrong.push(each.name + " is not the member the manifest names");
  }
  for (const name of entries.keys()) {
    const stamp = STAMP_MEMBER.exec(name);
    if (stamp && stamp[1] !== digests.get(name)) wrong.push(name + " does not have the digest in its name");
    if (!named.has(name) && name !== "manifest.json" && !stamp && !SIGNATURE_MEMBER.test(name)) wrong.push(name + " is not in the manifest");
  }
  if (!add(judged(4, outcome(named.size, wrong)))) return;
  const all = { manifest: report.manifest }, problems = [], tables = new Map();
  const made = async (number, work) => {
    const reason = withheldReason(number, all);
    if (reason) add(skipped(number, STATUS.withheld, reason));
    else await attempt(number, work);
  };
  const readAll = await attempt(5, async () => {
    for (const each of report.manifest.members) all[each.kind] = readRecords(each, await contents(entries.get(each.name)), problems, tables);
    for (const each of report.manifest.disclosure) if (each.published !== all[each.kind].length) problems.push(each.kind + ": told to be disclosed are " + each.published);
    return true;
  });
  if (!readAll || !add(judged(5, outcome(report.manifest.members.reduce((total, each) => total + all[each.kind].length, 0), problems)))) return;
  report.all = all;
  await attempt(31, async () => add(judged(31, await checkTables(report.manifest, tables, entries, contents))));
  const figures = {
    6: checkReferences, 7: checkClaims, 8: checkObservations, 9: checkDifferences, 10: checkCounts, 11: checkExceptions,
    12: checkGrades, 13: checkPins, 14: checkTransfers, 15: (each) => checkPlace(each, reader.earlier), 18: checkControl,
    22: (each) => (each.manifest.profile === "client" ? checkOwnLiability : checkLiabilities)(each),
  };
  for (const [number, check] of Object.entries(figures)) await made(Number(number), () => add(judged(Number(number), check(all))));
  await made(26, () => {
    const found = checkTransactions(all);
    if (!found) add(skipped(26, STATUS.unasked, "the bundle proves no transaction"));
    else partly(26, found, () => found.left > 0, add);
  });
  await optionalCheck(28, () => checkSecurities(all), "the bundle says nothing of securities at custodians", made, add);
  await optionalCheck(29, () => checkBitcoinOutputs(all), "the bundle has no balance of Bitcoin", made, add);
  await made(30, () => {
    const found = checkImported(all);
    if (!found) add(skipped(30, STATUS.unasked, "the bundle has no evidence of others"));
    else partly(30, found, () => found.left > 0, add);
  });
  await made(32, async () => {
    const found = await checkAnswers(all, entries, contents);
    if (!found) add(skipped(32, STATUS.unasked, "the bundle keeps no answers of nodes"));
    else partly(32, found, () => found.programs > 0, add);
  });
  await optionalCheck(24, () => checkStateProofs(all), "no balance claims a state proof", made, add);
  await made(19, () => {
    if (!all.key_challenges.length && !all.key_proofs.length) add(skipped(19, STATUS.unasked, "the bundle has no proof of control"));
    else partly(19, checkKeyProofs(all), (found) => found.notJudged > 0, add);
  });
  await made(23, () => {
    const found = checkReserve(all);
    if (!found) add(skipped(23, STATUS.unasked, "the bundle says nothing of the reserve"));
    else partly(23, found, () => true, add);
  });
  await made(27, () => {
    const found = checkPossession(all);
    if (!found) add(skipped(27, STATUS.unasked, "the bundle says nothing of possession or control"));
    else partly(27, found, () => true, add);
  });
}

// A check of which this page makes a part: what contradicts fails it, and what was not looked at is said.
function partly(number, found, leftOut, add) {
  const whole = found.problems.length || !leftOut(found);
  add(whole ? judged(number, found) : skipped(number, STATUS.elsewhere, NOT_HERE[number], found.compared));
}

// Checks that may have nothing to ask; then null, and why.
async function optionalCheck(number, check, nothing, attempt, add) {
  await attempt(number, () => {
    const found = check();
    add(found ? judged(number, found) : skipped(number, STATUS.unasked, nothing));
  });
}

async function checkSignatures(entries, contents, manifestBytes, reader, report, add) {
  if (!reader.trusted) throw new Obstacle(reader.trustedProblem || "give your file of trusted keys: without it nobody signed");
  const found = [...entries.values()].filter((entry) => SIGNATURE_MEMBER.test(entry.name)), envelopes = new Map(), unreadable = [];
  if (found.length > LIMITS.signatures) unreadable.push(found.length + " signatures; at most " + LIMITS.signatures + " are read");
  for (const entry of found.slice(0, LIMITS.signatures)) {
    if (entry.size > LIMITS.envelope) unreadable.push(entry.name + " is larger than 6 MiB");
    else envelopes.set(SIGNATURE_MEMBER.exec(entry.name)[1], await contents(entry));
  }
  const verdict = await judgeSignatures(manifestBytes, report.manifest, envelopes, reader.trusted, reader.now);
  verdict.problems.unshift(...unreadable);
  report.accepted = verdict.accepted;
  add(judged(3, verdict));
}

function readRecords(member, data, problems, tables) {
  const found = [], read = KINDS[member.kind], table = PROOF_KINDS.includes(member.kind) ? null : [tableHead(member.kind)];
  if (table) tables.set(member.kind, table);
  let before = null, number = 0, at = 0;
  while (at < data.length && problems.length < 1000) {
    const end = data.indexOf(10, at);
    if (end < 0) { problems.push(member.name + ": the last line has no end"); break; }
    const line = data.subarray(at, end), where = member.name + ":" + (number += 1) + ": ";
    if (line.length > LIMITS.line) { problems.push(where + "longer than 16 MiB"); break; }
    if (before !== null && compareBytes(before, line) >= 0) problems.push(where + "given twice, or not in ascending order");
    try {
      const value = parseCanonical(line);
      found.push(read(value));
      if (table) table.push(tableLine(member.kind, value));
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      problems.push(where + error.message);
    }
    before = line;
    at = end + 1;
  }
  if (found.length !== member.records) problems.push(member.name + ": " + found.length + " records, the manifest says " + member.records);
  return found;
}

// Digests against known ones, so that a browser that computes differently says so before it judges anything.
async function selfTest() {
  const empty = new Uint8Array(0), long = Uint8Array.from({ length: 300 }, (_, at) => at & 255);
  for (const data of [empty, long, long.subarray(0, 55), long.subarray(0, 56), long.subarray(0, 64)]) {
    const asked = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    if (!sameBytes(sha256(data), asked)) throw new Obstacle("SHA-256 computes wrongly in this browser");
  }
  if (hex(keccak256(empty)) !== "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470") {
    throw new Obstacle("Keccak-256 computes wrongly in this browser");
  }
}
