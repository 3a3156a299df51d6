// Check 27, as far as it is arithmetic: digests, numbering, days, sums by issue, and the case of every deficit.
// Which locations count, the 140 percent and the policies are taken as the document states them.
const units = (text) => (/^(0|[1-9][0-9]*)$/.test(text) ? BigInt(text) : refuse("a quantity is none"));
const casePlace = (securityId) => "control:" + securityId.replaceAll("/", "%2F");

function possessionDocumentProblems(bytes, r) {
  const document = parseCanonical(bytes), problems = [], say = (holds, words) => { if (!holds) problems.push(words); };
  const { inputs } = document, kinds = new Map(inputs.issues.map((issue) => [issue.security_id, issue.kind]));
  say(document.format === "custody-possession-review/1", "it is no review of this version");
  say(inputs.as_of === r.as_of, "the day is not that of the document");
  say(hex(sha256(utf8.encode(canonicalText(inputs)))) === document.inputs_digest, "the inputs do not have their digest");
  say(key(...document.issues.map((each) => each.security_id)) === key(...kinds.keys()), "the issues are not those of the inputs");
  for (const each of document.issues) {
    const named = each.security_id + ": ", fullyPaid = units(each.fully_paid), required = units(each.required);
    say(fullyPaid + units(each.excess_margin) === required, named + "required is not fully paid and excess margin together");
    const gap = orZero(required - units(each.control)), isShort = kinds.get(each.security_id) !== "not_security" && gap > units(each.not_known);
    say(units(each.deficit) === (isShort ? gap : 0n), named + "the deficit is not what is required and not in control");
    say(sum(each.sources.map((source) => units(source.attributed))) <= units(each.deficit), named + "more is to be got back than is short");
    if (!Array.isArray(inputs.owners)) continue;
    const owned = inputs.owners.flatMap((owner) => owner.holdings).filter((holding) => holding.security_id === each.security_id);
    say(sum(owned.map((holding) => units(holding.fully_paid))) === fullyPaid, named + "fully paid is not the sum of its owners");
    say(units(each.excess_margin) <= sum(owned.map((holding) => units(holding.margin))), named + "more is excess margin than is there");
  }
  return problems;
}

function possessionDeficitProblems(all, standing) {
  const newest = standing.reduce((one, other) => (one.as_of > other.as_of ? one : other));
  const open = new Set(all.cases.filter((r) => r.status !== "closed" && r.kind === "control_deficit").map((r) => r.location));
  const short = parseText(newest.document).issues.filter((each) => each.deficit !== "0" && !open.has(casePlace(each.security_id)));
  return short.map((each) => each.security_id + " is short, and there is no open case of kind control_deficit");
}

function checkPossession(all) {
  const made = all.possession_reviews, problems = [], created = all.manifest.created_at;
  if (!made.length) return null;
  const byId = new Map(made.map((r) => [r.review_id, r])), ordered = [...made].sort((one, other) => (one.review_id < other.review_id ? -1 : 1));
  made.forEach((_, at) => {
    const wanted = "PR-" + String(at + 1).padStart(6, "0");
    if (!byId.has(wanted)) problems.push(wanted + ": left out, or given twice under another number");
  });
  ordered.forEach((r, at) => {
    const where = r.review_id + ": ", say = (holds, words) => { if (!holds) problems.push(where + words); };
    const bytes = utf8.encode(r.document), before = byId.get(r.replaces);
    say(hex(sha256(bytes)) === r.digest, "the digest is not that of the document");
    problems.push(...tried(() => possessionDocumentProblems(bytes, r)).map((words) => where + words));
    say(!at || r.recorded_at > ordered[at - 1].recorded_at, "not recorded after the one before");
    say(r.known_at <= r.recorded_at && r.recorded_at <= created, "its times are not in order, or after the bundle was made");
    say(days(dayOf(r.recorded_at), r.determined_on) <= 1, "not determined on the day it was recorded");
    say(![r.as_of, r.act_by].some(weekend), "a Saturday or Sunday is no business day");
    say(r.replaces === "" || (before && before.review_id < r.review_id && before.as_of === r.as_of), "replaces what is no earlier one of its day");
  });
  problems.push(...twice(made.filter((r) => r.replaces), (r) => r.replaces).map((at) => at + ": replaced more than once"));
  const replaced = new Set(made.map((r) => r.replaces)), standing = made.filter((r) => !replaced.has(r.review_id));
  problems.push(...twice(standing, (r) => r.as_of).map((at) => "reviews of " + at + " stand beside each other"));
  if (standing.length) problems.push(...tried(() => possessionDeficitProblems(all, standing)));
  return outcome(made.length, problems);
}
