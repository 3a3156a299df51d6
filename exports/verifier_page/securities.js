// Check 28: every position at a custodian judged again from its figures, and the case of whatever is wrong.
const signed = (text) => (/^(0|-?[1-9][0-9]*)$/.test(text) ? BigInt(text) : refuse("a quantity is none"));

function securitiesClaims(line) {
  const claims = [];
  if ((line.clients === null) !== (line.firm === null)) refuse("the sub-ledger has one figure of two");
  if (line.clients !== null) claims.push(["sub_ledger", signed(line.clients) + signed(line.firm)]);
  if (line.recorded !== null) claims.push(["stock_record", signed(line.recorded)]);
  return claims.length ? claims : [["sub_ledger", 0n]];
}

function securitiesDifferences(line) {
  const found = [];
  for (const [book, claimed] of securitiesClaims(line)) {
    for (const each of line.stated) {
      if (units(each.base_units) !== claimed) {
        found.push({ book, by: each.stated_by, statement_id: each.statement_id, base_units: String(units(each.base_units) - claimed) });
      }
    }
  }
  const first = ["book", "by", "statement_id"], differs = (one, other) => first.find((name) => one[name] !== other[name]);
  return found.sort((one, other) => (one[differs(one, other)] < other[differs(one, other)] ? -1 : 1));
}

const securitiesStatus = (line, differences) =>
  differences.length || line.owners_below_zero ? "diverged" : line.gaps.length || !line.stated.length ? "unverified" : "matched";

function securitiesCaseKinds(line, differences) {
  const kinds = differences.map((each) => (each.book === "stock_record" ? ["custodian_mismatch"]
    : each.base_units.startsWith("-") ? ["shortfall"] : ["excess", "unallocated_balance"]));
  if (line.owners_below_zero) kinds.push(["negative_allocation"]);
  if (line.gaps.length) kinds.push(["unverified"]);
  return kinds;
}

function securitiesLineProblems(line, created) {
  const where = line.location + " " + line.asset_id + ": ", problems = [];
  const say = (holds, words) => { if (!holds) problems.push(where + words); };
  const differences = securitiesDifferences(line);
  const told = differences.map(({ book, statement_id, base_units }) => ({ base_units, book, statement_id }));
  say(canonicalText(told) === canonicalText(line.differences), "the differences are not stated less claimed");
  say(line.status === securitiesStatus(line, differences), "the status does not follow from the figures");
  say(line.stated.length || line.gaps.length, "without a statement, and without why");
  for (const each of line.stated) {
    say(each.is_listed || each.base_units === "0", "what is not listed is not zero");
    say(each.as_of <= created, "a statement of a moment after the bundle was made");
  }
  return problems;
}

function securitiesCaseProblems(all, document) {
  const problems = [], covered = new Set(), at = new Set();
  for (const each of all.cases.filter((r) => r.status !== "closed" && r.rail === "securities")) {
    at.add(key(each.location, each.kind));
    for (const cover of each.covers) covered.add(key(cover.location, cover.asset_id, each.kind));
  }
  for (const line of document.lines) {
    for (const kinds of securitiesCaseKinds(line, securitiesDifferences(line))) {
      if (!kinds.some((kind) => covered.has(key(line.location, line.asset_id, kind)))) {
        problems.push(line.location + " " + line.asset_id + ": no open case of kind " + kinds.join(" or "));
      }
    }
  }
  for (const each of document.missing) if (!at.has(key(each.location, "unverified"))) problems.push(each.location + ": no statement, and no open case");
  if (document.unplaced.length && !at.has(key("books:unplaced", "unverified"))) problems.push("lines without a location, and no open case");
  return problems;
}

function securitiesProblems(all, r, document) {
  const problems = [], say = (holds, words) => { if (!holds) problems.push(words); };
  const { lines, missing, unplaced, counts } = document, created = all.manifest.created_at;
  const statuses = lines.map((line) => line.status), count = (status) => statuses.filter((each) => each === status).length;
  const absent = missing.length + unplaced.length, places = lines.map((line) => key(line.location, line.asset_id));
  say(document.format === "custody-securities-comparison/1", "it is no comparison of this version");
  say(document.as_of === r.as_of && document.known_at === r.known_at, "day or time are not those of the document");
  say(r.known_at <= r.recorded_at && r.recorded_at <= created, "its times are not in order, or after the bundle was made");
  say(new Set(places).size === places.length, "a position stands twice");
  say(counts.expected === lines.length + absent && counts.matched === count("matched") && counts.diverged === count("diverged")
    && counts.unverified === count("unverified") + absent, "the counts are not those of the lines");
  say(lines.length + absent, "nothing was compared");
  for (const line of lines) problems.push(...securitiesLineProblems(line, created));
  return [...problems, ...securitiesCaseProblems(all, document)];
}

function checkSecurities(all) {
  const runs = all.securities_runs, problems = [];
  let compared = 0;
  if (!runs.length) return null;
  if (runs.length > 1) problems.push(runs.length + " comparisons; the newest alone belongs here");
  for (const r of runs) {
    const bytes = utf8.encode(r.document);
    if (hex(sha256(bytes)) !== r.digest) problems.push(r.run_id + ": the digest is not that of the document");
    problems.push(...tried(() => {
      const document = parseCanonical(bytes);
      compared += document.lines.length + document.missing.length + document.unplaced.length;
      return securitiesProblems(all, r, document);
    }).map((words) => r.run_id + ": " + words));
  }
  return outcome(Math.max(compared, 1), problems);
}
