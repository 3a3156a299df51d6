// Check 23, as far as it is arithmetic: digests, numbering, days, sums and the difference that must be on deposit.
// Percentages and policies are taken as the document states them; whether the rule of the day has them is not done here.
const cents = (text) => (/^(0|-?[1-9][0-9]*)$/.test(text) ? BigInt(text) : refuse("an amount in cents is not one"));
const orZero = (value) => (value > 0n ? value : 0n);
const percentUp = (value, percent) => (value * BigInt(percent) + 99n) / 100n;
const days = (one, other) => Math.abs(dayNumber(one) - dayNumber(other));
const weekend = (day) => [2, 3].includes(((dayNumber(day) % 7) + 7) % 7); // 1970-01-01 was a Thursday

function sideTotal(lines, side) {
  return sum(lines.filter((line) => line.side === side).map((line) => cents(line.cents)));
}

function reserveDocumentProblems(bytes, r) {
  const document = parseCanonical(bytes), problems = [], say = (holds, words) => { if (!holds) problems.push(words); };
  say(document.format === "custody-reserve-computation/1", "it is no reserve computation of this version");
  const { inputs, reduction, customer, pab } = document, equal = (what, stated, computed) =>
    say(cents(stated) === computed, what + " is " + stated + " cents, should be " + computed);
  say(inputs.as_of === r.as_of && inputs.scope === r.scope && inputs.occasion === r.occasion, "day, scope or occasion are not those of the document");
  say(hex(sha256(utf8.encode(canonicalText(inputs)))) === document.inputs_digest, "the inputs do not have their digest");
  for (const lines of [inputs.customer, inputs.pab]) {
    say(String(lines.map((line) => line.item)) === "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15", "the lines are not the fifteen of the formula");
    for (const line of lines) {
      equal("item " + line.item, line.cents, sum(line.rows.map((row) => cents(row.cents))));
      say(line.side === (line.item < 10 ? "credit" : "debit"), "item " + line.item + " is on the wrong side");
    }
  }
  const credits = sideTotal(inputs.customer, "credit"), debits = sideTotal(inputs.customer, "debit"), ofItem10 = reduction.base === "item_10";
  const reduced = percentUp(ofItem10 ? cents(inputs.customer[9].cents) : debits, reduction.percent), excess = orZero(credits - (debits - reduced));
  equal("reduction", customer.reduction, reduced);
  equal("total_credits", customer.total_credits, credits);
  equal("total_debits", customer.total_debits, debits - reduced);
  equal("aggregate_debits", customer.aggregate_debits, ofItem10 ? debits - reduced : debits);
  equal("excess_credits", customer.excess_credits, excess);
  equal("excess_debits", customer.excess_debits, orZero(debits - reduced - credits));
  equal("required", customer.required, percentUp(excess, customer.deposit_percent));
  const pabCredits = sideTotal(inputs.pab, "credit"), pabDebits = sideTotal(inputs.pab, "debit"), pabExcess = orZero(pabCredits - pabDebits);
  const before = percentUp(pabExcess, pab.deposit_percent), least = (one, other) => (one < other ? one : other);
  const used = least(before, orZero(debits - reduced - credits)), swept = least(cents(inputs.pab_swept), before - used);
  equal("PAB total_credits", pab.total_credits, pabCredits);
  equal("PAB total_debits", pab.total_debits, pabDebits);
  equal("PAB excess_credits", pab.excess_credits, pabExcess);
  equal("PAB excess_debits", pab.excess_debits, orZero(pabDebits - pabCredits));
  equal("PAB required_before_offset", pab.required_before_offset, before);
  equal("PAB customer_excess_debits_used", pab.customer_excess_debits_used, used);
  equal("PAB swept", pab.swept, swept);
  equal("PAB required", pab.required, before - used - swept);
  return problems;
}

// Problems of a document, whatever is in it: one that is not of its form is a problem too.
function tried(read) {
  try { return read(); } catch (error) {
    if (error instanceof Contradiction) return [error.message];
    if (error instanceof TypeError || error instanceof RangeError) return ["the document is not of its form"];
    throw error;
  }
}

// What is required by the computations in force on the position's day, against the most that could count by it.
function deficitProblems(all, standing) {
  if (all.reserve_positions.length !== 1) return [];
  const position = parseText(all.reserve_positions[0].document), problems = [];
  const open = new Set(all.cases.filter((r) => r.status !== "closed" && r.kind === "reserve_deficit").map((r) => r.location));
  for (const purpose of ["customer", "pab"]) {
    const found = standing.filter((r) => r.occasion !== "test" && r.as_of <= position.on && [purpose, "both"].includes(r.scope));
    const latest = found.filter((r) => found.every((other) => other.as_of <= r.as_of)).map((r) => parseText(r.document)[purpose]);
    if (new Set(latest.map((each) => key(each.required, each.swept))).size > 1) problems.push("two computations of one day require different amounts");
    const short = latest.length && position[purpose].most !== null && cents(position[purpose].most) < cents(latest[0].required);
    if (short && !open.has("bank:reserve-" + purpose)) problems.push("the " + purpose + " reserve is short, and there is no open case of kind reserve_deficit");
  }
  return problems;
}

function checkReserve(all) {
  const made = all.reserve_computations, problems = [], created = all.manifest.created_at;
  if (!made.length && !all.reserve_positions.length) return null;
  const byId = new Map(made.map((r) => [r.computation_id, r])), ordered = [...made].sort((one, other) => (one.computation_id < other.computation_id ? -1 : 1));
  const duty = (r) => key(r.as_of, r.scope, r.occasion === "test");
  made.forEach((_, at) => {
    const wanted = "RC-" + String(at + 1).padStart(6, "0");
    if (!byId.has(wanted)) problems.push(wanted + ": left out, or given twice under another number");
  });
  ordered.forEach((r, at) => {
    const where = r.computation_id + ": ", say = (holds, words) => { if (!holds) problems.push(where + words); };
    const bytes = utf8.encode(r.document), before = byId.get(r.replaces);
    say(hex(sha256(bytes)) === r.digest, "the digest is not that of the document");
    problems.push(...tried(() => reserveDocumentProblems(bytes, r)).map((words) => where + words));
    say(!at || r.recorded_at > ordered[at - 1].recorded_at, "not recorded after the one before");
    say(r.known_at <= r.recorded_at && r.recorded_at <= created, "its times are not in order, or after the bundle was made");
    say(dayOf(r.recorded_at) > r.as_of, "recorded before its day had closed");
    say(![r.as_of, r.compute_on, r.deposit_on].some(weekend), "a Saturday or Sunday is no banking day");
    say(days(dayOf(r.deposit_by), r.deposit_on) <= 1, "the deadline is not on the day of the deposit");
    say(r.replaces === "" || (before && before.computation_id < r.computation_id && duty(before) === duty(r)), "replaces what is no earlier one of its day and purpose");
  });
  problems.push(...twice(made.filter((r) => r.replaces), (r) => r.replaces).map((at) => at + ": replaced more than once"));
  const replaced = new Set(made.map((r) => r.replaces)), standing = made.filter((r) => !replaced.has(r.computation_id));
  problems.push(...twice(standing, duty).map((at) => "computations of " + at + " stand beside each other"));
  problems.push(...tried(() => deficitProblems(all, standing)));
  if (all.reserve_positions.length !== 1) problems.push(all.reserve_positions.length + " positions of the reserve accounts; one is needed");
  for (const r of all.reserve_positions) {
    const bytes = utf8.encode(r.document);
    if (hex(sha256(bytes)) !== r.digest) problems.push("position: the digest is not that of the document");
    if (days(r.on, dayOf(created)) > 1) problems.push("position: not of the day the bundle was made");
    problems.push(...tried(() => {
      const document = parseCanonical(bytes);
      return must([document.format === "custody-reserve-position/1" && document.on === r.on, "position: not of its day or form"]) ? ["position: not of its day or form"] : [];
    }));
  }
  return outcome(made.length + all.reserve_positions.length, problems);
}
