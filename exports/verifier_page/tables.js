// Check 31: the tables of a bundle, made again from its records. A line of a table is made from what JSON gave, in the
// order of the record's fields.
const TABLE_KEYS = {
  acceptances: ["acceptance_id"], allocations: ["client_id", "account_class", "location", "asset_id", "is_gas_float"],
  assets: ["asset_id"], authorizations: ["authorization_id"], balances: ["chain_id", "address", "asset_id"], cases: ["case_id"],
  liability_totals: ["asset_id"], pools: ["pool_id", "chain_id", "address"], possession_reviews: ["review_id"],
  reconciliations: ["rail", "location", "asset_id"], reserve_computations: ["computation_id"], securities_runs: ["run_id"],
  sweeps: ["sweep_id"], token_layouts: ["asset_id"], wallets: ["chain_id", "address"],
};
const TABLE_REFERENCES = {
  allocations: ["assets"], authorizations: ["assets"], balances: ["assets", "sweeps"], reconciliations: ["assets", "sweeps"],
  transfers: ["assets"],
};
const REFERENCE_FIELDS = { assets: "asset_id", sweeps: "sweep_id" };

function tableCell(value) {
  if (value === null) return "";
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  let cell = typeof value === "string" ? value : canonicalText(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(value) && !/^-?[0-9]+$/.test(value)) cell = "'" + value;
  return /[,"\r\n]/.test(cell) ? '"' + cell.replaceAll('"', '""') + '"' : cell;
}
const tableHead = (kind) => FIELDS.get(KINDS[kind]).join(",") + "\r\n";
const tableLine = (kind, value) => FIELDS.get(KINDS[kind]).map((name) => tableCell(value[name])).join(",") + "\r\n";

// What a column is called in the Table Schema, by the form of its field; and whether no cell of it is empty.
function columnOf(name, form) {
  const shape = SHAPES.get(form), inner = shape && shape.orNull ? shape.orNull : form, listed = SHAPES.get(inner)?.list;
  const type = listed ? "array" : FIELDS.has(inner) ? "object" : inner === amount || inner === count ? "integer" :
    inner === yesOrNo ? "boolean" : inner === time ? "datetime" : inner === date ? "date" : "string";
  const column = { name, type };
  if (type === "datetime") column.format = "%Y-%m-%dT%H:%M:%S.%fZ";
  if (inner === form && !(type === "string" && takes(form, ""))) column.constraints = { required: true };
  return column;
}
function takes(form, value) {
  try { form(value); return true; } catch (error) {
    if (error instanceof Contradiction) return false;
    throw error;
  }
}
const columnsOf = (kind) => Object.entries(FORMS.get(KINDS[kind])).map(([name, form]) => columnOf(name, form));

// Kinds with a table: not proofs, and none of which the profile shows nothing.
const tableKinds = (manifest) => manifest.disclosure.filter((each) => !PROOF_KINDS.includes(each.kind) &&
  (each.published || (!each.committed && each.withheld === 0))).map((each) => each.kind).sort();

function tableResource(told, bytes, sha256, whole) {
  const { kind } = told, fields = columnsOf(kind), required = new Set(fields.filter((each) => each.constraints).map((each) => each.name));
  const schema = { fields, missingValues: [""] }, keys = TABLE_KEYS[kind];
  if (keys && keys.every((each) => required.has(each))) schema.primaryKey = keys;
  const references = (TABLE_REFERENCES[kind] || []).filter((each) => whole.has(each));
  if (references.length) {
    schema.foreignKeys = references.map((table) => ({ fields: REFERENCE_FIELDS[table], reference: { resource: table, fields: REFERENCE_FIELDS[table] } }));
  }
  const resource = {
    name: kind.replaceAll("_", "-"), path: kind + ".csv", profile: "tabular-data-resource", format: "csv", mediatype: "text/csv",
    encoding: "utf-8", dialect: { lineTerminator: "\r\n" }, bytes, hash: "sha256:" + sha256, schema,
  };
  if (!whole.has(kind) || told.replaced.length) Object.assign(resource, { withheld: told.withheld, committed: told.committed, replaced: told.replaced });
  return resource;
}

// `tables` are the texts that the records make, by kind; `contents` gives a member's bytes.
async function checkTables(manifest, tables, entries, contents) {
  const told = new Map(manifest.disclosure.map((each) => [each.kind, each])), kinds = tableKinds(manifest), wanted = new Map();
  const whole = new Set(kinds.filter((kind) => !told.get(kind).committed && told.get(kind).withheld === 0)), resources = [];
  for (const kind of kinds) {
    const bytes = utf8.encode(tables.get(kind).join("")), sum = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
    wanted.set("views/" + kind + ".csv", bytes);
    resources.push(tableResource(told.get(kind), bytes.length, sum, whole));
  }
  const descriptor = {
    profile: "data-package", name: "custody-bundle", title: manifest.firm.name + ": bundle " + manifest.sequence, bundle_id: manifest.bundle_id,
    bundle_as_of: manifest.as_of, bundle_profile: manifest.profile, bundle_subject: manifest.subject, resources,
  };
  wanted.set("views/datapackage.json", utf8.encode(canonicalText(descriptor) + "\n"));
  const problems = [], there = manifest.files.map((each) => each.name).filter((name) => name.startsWith("views/"));
  for (const name of there) if (!wanted.has(name)) problems.push(name + " is no table of this bundle");
  for (const [name, bytes] of wanted) {
    if (!there.includes(name)) problems.push(name + " is missing");
    else if (!sameBytes(await contents(entries.get(name)), bytes)) problems.push(name + " does not say what the records say");
  }
  return outcome(wanted.size, problems);
}
