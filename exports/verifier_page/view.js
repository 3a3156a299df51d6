// The page: files in, a report out. Nothing is ever put into the page as markup.
const SHOWN = {
  failed: ["✗ failed", "bad"], not_possible: ["? not possible", "open"], not_here: ["– not done here", "soft"],
  withheld: ["– withheld: not checked", "open"], passed: ["✓ passed", "good"], not_requested: ["– nothing to ask", "soft"],
};
const WORST_FIRST = Object.keys(SHOWN), ROWS_MAX = 200, WHOLE_BYTES_MAX = 2 ** 26, SHOWN_BYTES_MIN = 2 ** 20;
const at = (id) => document.getElementById(id);

function element(tag, text, style) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (style) made.className = style;
  return made;
}

function listOf(items) {
  const made = element("ul");
  made.append(...items.map((each) => element("li", each)));
  return made;
}

// Heads may end with `·` for amounts and `…` for ids that may break anywhere.
function tableOf(title, note, heads, rows) {
  const section = element("section"), table = element("table", undefined, "wide"), head = table.createTHead().insertRow(), body = table.createTBody();
  const style = (name) => (name.endsWith("·") ? "number" : name.endsWith("…") ? "long" : ""), label = (name) => name.replace(/[·…]$/, "");
  for (const name of heads) {
    const cell = element("th", label(name), style(name));
    cell.scope = "col";
    head.append(cell);
  }
  for (const row of rows.slice(0, ROWS_MAX)) {
    const line = body.insertRow();
    row.forEach((value, column) => {
      const cell = element("td", value, style(heads[column]) || SHOWN_STATUS[value] || "");
      cell.dataset.label = label(heads[column]);
      line.append(cell);
    });
  }
  const frame = element("div", undefined, "scroll");
  frame.append(table);
  section.append(element("h2", title));
  if (note) section.append(element("p", note, "note"));
  section.append(frame);
  if (rows.length > ROWS_MAX) section.append(element("p", "and " + (rows.length - ROWS_MAX) + " more", "note"));
  return section;
}
const STATUS_ORDER = ["diverged", "unverified", "matched"];
const SHOWN_STATUS = { matched: "good", diverged: "bad", unverified: "open" };

function quantity(units, decimals) {
  if (units === null) return "not known";
  const digits = String(units < 0n ? -units : units).padStart(decimals + 1, "0"), cut = digits.length - decimals;
  return (units < 0n ? "−" : "") + (decimals ? digits.slice(0, cut) + "." + digits.slice(cut) : digits);
}

function showChecks(report) {
  const rank = (check) => WORST_FIRST.indexOf(check.status), body = at("checks").tBodies[0];
  const ordered = [...report.checks].sort((one, other) => rank(one) - rank(other) || one.number - other.number);
  body.replaceChildren(...ordered.map((check) => {
    const row = element("tr"), what = element("td", check.number + ". " + check.name);
    row.dataset.number = check.number;
    row.dataset.status = check.status;
    if (check.note) what.append(element("small", check.note));
    if (check.reasons.length) what.append(listOf(check.more ? [...check.reasons, "and " + check.more + " more"] : check.reasons));
    row.append(what, element("td", ...SHOWN[check.status]), element("td", check.compared ? String(check.compared) : ""));
    return row;
  }));
}

function showVerdict(report) {
  const number = (status) => report.checks.filter((check) => check.status === status).length, counts = [];
  for (const status of WORST_FIRST) if (number(status)) counts.push(number(status) + " " + SHOWN[status][0].slice(2));
  const [style, words] = [
    ["good", report.manifest && report.manifest.profile !== "full" ? "Every check of what this bundle shows passed" : "Every check that this page makes passed"],
    ["bad", "Refused: the evidence contradicts itself"],
    ["open", number("withheld") && !number("not_possible") ? "Not verified as a whole: some of it is withheld" : "Not verified: something could not be checked"],
  ][report.exit_code];
  at("verdict").className = style;
  at("verdict").dataset.exit = report.exit_code;
  at("verdict").querySelector("strong").textContent = words;
  at("verdict").querySelector("p").textContent = counts.join(", ") + ".";
  const held = report.all ? report.all.reconciliations : [], told = STATUS_ORDER.map((status) => held.filter((r) => r.status === status).length + " " + status);
  at("said").textContent = report.all ? (report.manifest.profile === "full" ? "The bundle itself says: " : "What is shown of the bundle says: ") + told.join(", ") + " of " + held.length + " holdings." : "Nothing in the bundle was read as far as its figures.";
}

function showFacts(report) {
  const { manifest, all } = report, facts = [];
  if (manifest) {
    facts.push(["Firm", manifest.firm.name], ["Bundle", manifest.bundle_id + ", number " + manifest.sequence + " of the firm"]);
    facts.push(["As of", manifest.as_of], ["Made", manifest.created_at], ["Scope", manifest.scope.text]);
    facts.push(["Signed by", report.accepted.join(", ") || "nobody you trust"], ["Digest", report.digest]);
    facts.push(["Profile", disclosureWords(manifest)]);
    facts.push(["Withheld", manifest.withheld.map((each) => each.what + " (" + each.why + ")").join("; ") || "nothing is said to be"]);
  }
  if (all) {
    facts.push(["Cases", all.cases.filter((r) => r.status !== "closed").length + " open of " + all.cases.length]);
    facts.push(["Liabilities root", all.liability_roots.map((r) => r.root).join(", ")]);
  }
  at("facts").replaceChildren(...facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

function showContent({ all }) {
  const parts = [];
  if (all) {
    const assets = new Map(all.assets.map((r) => [r.asset_id, r]));
    const symbol = (assetId) => (assets.has(assetId) ? assets.get(assetId).symbol : assetId), show = (units, assetId) => quantity(units, assets.has(assetId) ? assets.get(assetId).decimals : 0);
    const worstFirst = (items) => [...items].sort((one, other) => STATUS_ORDER.indexOf(one.status) - STATUS_ORDER.indexOf(other.status));
    parts.push(tableOf("Holdings, worst first", "Claimed is what clients own by the firm's books, observed what the chain showed. Nothing here is worth more than the checks above.",
      ["Status", "Where…", "Asset", "Claimed·", "Observed·", "Difference·"],
      worstFirst(all.reconciliations).map((r) => [r.status, r.location, symbol(r.asset_id), show(r.claimed, r.asset_id), show(r.observed, r.asset_id), show(r.difference, r.asset_id)])));
    parts.push(tableOf("Owed to clients, against what is there", "One tree per asset. That no owner was left out is not proven by it: ask some of the clients.",
      ["Status", "Asset", "Owners·", "Owed·", "Observed·", "Difference·"],
      worstFirst(all.liability_totals).map((r) => [r.status, symbol(r.asset_id), r.positions === null ? "not told" : String(r.positions), show(r.owed, r.asset_id), show(r.observed, r.asset_id), show(r.difference, r.asset_id)])));
    parts.push(tableOf("Blocks", "Whether your own node has them is not checked by this page.", ["Chain", "Height·", "Hash…", "Time", "Finality"],
      all.sweeps.map((r) => [r.chain_id, String(r.height), r.block_hash, r.block_time, r.finality])));
  }
  at("content").replaceChildren(...parts);
}

// Small files are held whole, which is faster; of large ones only what is looked at.
async function sourceOf(file) {
  const part = async (from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer());
  if (file.size > WHOLE_BYTES_MAX) return { size: file.size, read: part };
  const whole = await part(0, file.size);
  return { size: whole.length, read: async (from, to) => whole.slice(from, to) };
}

async function earlierOf(file) {
  const source = await sourceOf(file), entry = (await openContainer(source.size, source.read)).get("manifest.json");
  if (!entry || entry.size > LIMITS.manifest) refuse("there is no manifest in it");
  const bytes = await source.read(entry.data, entry.data + entry.size);
  return { sequence: parseManifest(bytes).sequence, digest: hex(sha256(bytes)) };
}

async function run() {
  const [bundle, keys, earlier] = ["bundle", "keys", "earlier"].map((id) => at(id).files[0]), reader = { trusted: null, earlier: null };
  await selfTest();
  reader.now = time(at("now").value.trim());
  if (keys) {
    try { reader.trusted = await readTrustedKeys(new Uint8Array(await keys.arrayBuffer())); } catch (error) {
      reader.trustedProblem = "your file of trusted keys: " + error.message;
    }
  }
  if (earlier) reader.earlier = await earlierOf(earlier);
  if (bundle.size > SHOWN_BYTES_MIN) {
    reader.progress = (number) => {
      at("progress").textContent = "Check " + number + ": " + NAMES[number] + "…";
      return new Promise((resolve) => { setTimeout(resolve); }); // lets the browser show it
    };
  }
  const report = await verify(await sourceOf(bundle), reader);
  showVerdict(report);
  showFacts(report);
  showChecks(report);
  showContent(report);
  at("result").hidden = false;
}

async function start(event) {
  event.preventDefault();
  at("result").hidden = true;
  if (!at("bundle").files.length) { at("progress").textContent = "Choose a bundle first."; return; }
  at("verify").disabled = true;
  at("progress").textContent = "Reading and computing…";
  try {
    await run();
    at("progress").textContent = "Done. " + at("bundle").files[0].name;
  } catch (error) {
    at("progress").textContent = "Nothing was checked: " + error.message;
  }
  at("verify").disabled = false;
}

function dropped(event) {
  event.preventDefault();
  document.body.classList.remove("dropping");
  for (const file of event.dataTransfer.files) {
    const chosen = new DataTransfer();
    chosen.items.add(file);
    at(/\.json$/i.test(file.name) ? "keys" : "bundle").files = chosen.files;
  }
}

function openPage() {
  at("now").value = new Date().toISOString().replace(/Z$/, "000Z");
  at("form").addEventListener("submit", start);
  document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
  document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  document.addEventListener("drop", dropped);
  const words = Object.entries(NOT_HERE).map(([number, why]) => number + ". " + NAMES[number] + ": " + why + ".");
  at("limits").querySelector("ul").replaceChildren(...words.map((each) => element("li", each)));
}

if (typeof document !== "undefined") openPage();
