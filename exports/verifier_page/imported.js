// Check 30: what is said of others' evidence; signatures of EVM accounts are judged again.
function signedBy(said, signature) {
  const bytes = unhex(signature);
  const prefix = utf8.encode("\x19Ethereum Signed Message:\n" + said.length);
  if (!/^0x(?:[0-9a-fA-F]{2}){65}$/.test(signature) || ![27, 28].includes(bytes[64])) return null;
  const [r, s] = [big(bytes.subarray(0, 32)), big(bytes.subarray(32, 64))];
  if (s > ORDER / 2n) return null;
  return signerBy(keccak256(join(prefix, said)), r, s, bytes[64] - 27);
}
function evmControl(line) {
  if (!line.signatures.length || line.owners.length) return "not_judged";
  if (line.signatures.length !== 1) return "refused";
  const words = utf8.encode(line.message);
  try { return [words, keccak256(words)].some((said) => signedBy(said, line.signatures[0]) === line.address) ? "shown" : "refused"; } catch (error) {
    if (!(error instanceof Contradiction)) throw error;
    return "refused";
  }
}
function importedLineProblems(line, left) {
  const where = "line " + line.line + ": ", problems = [], read = ["read", "differs"].includes(line.holding);
  if ((line.holding === "none") !== (line.amount === "")) problems.push(where + "an amount, and nothing else, is read or stated");
  if (!["read", "differs", "stated", "none"].includes(line.holding)) problems.push(where + "an amount is never more than read");
  if (read && (line.height === null || line.holding_reason === "")) problems.push(where + "a node said it, at no height or by no name");
  let control = "not_judged";
  if (line.chain_id.startsWith("eip155:")) control = evmControl(line);
  else if (line.chain_id && line.signatures.length) { left.count += 1; return problems; }
  if (control !== line.control) problems.push(where + "control is called " + line.control + ", and is " + control);
  return problems;
}
function importedProblems(r, left) {
  const bytes = utf8.encode(r.document), document = parseCanonical(bytes), problems = [];
  if (hex(sha256(bytes)) !== r.digest) problems.push("the digest is not that of the document");
  if (document.format !== "custody-outside-evidence/1" || document.kind !== r.kind) problems.push("it is no document of this version and kind");
  if (!Array.isArray(document.lines) || !document.lines.length) refuse("it has no line");
  if (r.kind === "bip127") left.count += document.lines.length;
  else for (const line of document.lines) problems.push(...importedLineProblems(line, left));
  left.compared += document.lines.length;
  return problems;
}
function checkImported(all) {
  const left = { count: 0, compared: 0 }, records = all.imported_evidence;
  if (!records.length) return null;
  const problems = twice(records, (r) => r.evidence_id).map((at) => at + " stands more than once");
  for (const r of records) {
    if (r.recorded_at > all.manifest.created_at) problems.push(r.evidence_id + ": it was taken after the bundle was made");
    problems.push(...tried(() => importedProblems(r, left)).map((words) => r.evidence_id + ": " + words));
  }
  return { ...outcome(Math.max(left.compared, 1), problems), left: left.count };
}
