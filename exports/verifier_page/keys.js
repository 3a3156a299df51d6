// Check 19: proofs of control by keys of EVM accounts, judged again. Bitcoin's need its script rules: they are left to
// `custody verify`, and said to be.
const FIELD = (1n << 256n) - 0x1000003d1n, ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const GENERATOR = [
  0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n, 1n,
];
const modulo = (value, by) => { const rest = value % by; return rest < 0n ? rest + by : rest; };

function power(base, exponent, by) {
  let result = 1n;
  for (base = modulo(base, by); exponent; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % by;
    base = (base * base) % by;
  }
  return result;
}
const inverse = (value, by) => power(value, by - 2n, by); // both are primes

// Points of y² = x³ + 7 as [X, Y, Z] with x = X/Z² and y = Y/Z³; Z of 0 is the point at infinity.
const INFINITY = [0n, 1n, 0n];
function double([x, y, z]) {
  if (!z || !y) return INFINITY;
  const square = (y * y) % FIELD, s = (4n * x * square) % FIELD, m = (3n * x * x) % FIELD;
  const ownX = modulo(m * m - 2n * s, FIELD);
  return [ownX, modulo(m * (s - ownX) - 8n * square * square, FIELD), (2n * y * z) % FIELD];
}
function add(one, other) {
  if (!one[2]) return other;
  if (!other[2]) return one;
  const [x1, y1, z1] = one, [x2, y2, z2] = other, zz1 = (z1 * z1) % FIELD, zz2 = (z2 * z2) % FIELD;
  const u1 = (x1 * zz2) % FIELD, u2 = (x2 * zz1) % FIELD, s1 = (y1 * zz2 * z2) % FIELD, s2 = (y2 * zz1 * z1) % FIELD;
  if (u1 === u2) return s1 === s2 ? double(one) : INFINITY;
  const h = modulo(u2 - u1, FIELD), r = modulo(s2 - s1, FIELD), hh = (h * h) % FIELD, hhh = (h * hh) % FIELD, v = (u1 * hh) % FIELD;
  const x3 = modulo(r * r - hhh - 2n * v, FIELD);
  return [x3, modulo(r * (v - x3) - s1 * hhh, FIELD), (h * z1 * z2) % FIELD];
}
// a times one point plus b times another, in one walk over the bits.
function combine(a, one, b, other) {
  const both = add(one, other);
  let sum = INFINITY;
  for (let bit = 255n; bit >= 0n; bit--) {
    const inA = (a >> bit) & 1n, inB = (b >> bit) & 1n;
    sum = double(sum);
    if (inA && inB) sum = add(sum, both);
    else if (inA) sum = add(sum, one);
    else if (inB) sum = add(sum, other);
  }
  return sum;
}

// The address whose key signed these 32 bytes; only the one spelling of a signature is taken.
function signerOf(hash, signature) {
  if (!/^0x(?:[0-9a-fA-F]{2})*$/.test(signature)) refuse("the signature is not hex");
  const raw = unhex(signature);
  if (raw.length !== 65) refuse("a key's signature has 65 bytes");
  const r = big(raw.subarray(0, 32)), s = big(raw.subarray(32, 64)), v = raw[64];
  if (v !== 27 && v !== 28) refuse("the last byte of a signature is 1b or 1c");
  if (s > ORDER / 2n) refuse("the signature is the mirror image of another one");
  return signerBy(hash, r, s, v - 27);
}

// The same by the numbers of a signature.
function signerBy(hash, r, s, parity) {
  if (!r || r >= ORDER || !s || s >= ORDER) refuse("the numbers of a signature are out of their bounds");
  const square = (r * r * r + 7n) % FIELD, root = power(square, (FIELD + 1n) / 4n, FIELD);
  if ((root * root) % FIELD !== square) refuse("no key can have made this signature");
  const y = Number(root & 1n) === parity ? root : FIELD - root, back = inverse(r, ORDER);
  const point = combine(modulo(-big(hash) * back, ORDER), GENERATOR, (s * back) % ORDER, [r, y, 1n]);
  if (!point[2]) refuse("no key can have made this signature");
  const flat = inverse(point[2], FIELD), x = (point[0] * flat * flat) % FIELD, publicY = (point[1] * flat * flat * flat) % FIELD;
  return checksumAddress("0x" + hex(keccak256(join(wide(x), wide(publicY))).subarray(12)));
}

const DOMAIN = "custody-verifier key proof", PURPOSE = "Shows that this key could sign now. Moves nothing and approves nothing.";
const PROOF_TYPE = "KeyProof(string purpose,string firm,string askedBy,address wallet,uint256 blockHeight,bytes32 blockHash," +
  "bytes32 addressesSha256,string issuedAt,string answerBefore,bytes32 nonce,bytes32 challengeSha256)";
const textHash = (text) => keccak256(utf8.encode(text)), shaText = (value) => hex(sha256(utf8.encode(canonicalText(value))));

function textDigest(asked, wallet) {
  const lines = [
    DOMAIN, PURPOSE, "", "Firm: " + asked.firm, "Asked by: " + asked.asked_by, "Wallet: " + account(asked.chain_id, wallet),
    "Block: " + asked.height + " " + asked.block_hash, "Addresses: " + asked.address_count + ", SHA-256 " + asked.addresses_sha256,
    "Issued: " + asked.issued_at, "Answer before: " + asked.expires_at, "Nonce: " + asked.nonce, "Challenge SHA-256: " + shaText(asked),
  ];
  const body = utf8.encode(lines.join("\n"));
  return keccak256(join(utf8.encode("\x19Ethereum Signed Message:\n" + body.length), body));
}

function typedDigest(asked, wallet) {
  const chainNumber = wide(BigInt(asked.chain_id.slice("eip155:".length)));
  const domainType = textHash("EIP712Domain(string name,string version,uint256 chainId)");
  const domain = keccak256(join(domainType, textHash(DOMAIN), textHash("1"), chainNumber));
  const message = keccak256(join(
    textHash(PROOF_TYPE), textHash(PURPOSE), textHash(asked.firm), textHash(asked.asked_by), wide(BigInt(wallet)), wide(BigInt(asked.height)),
    unhex(asked.block_hash), unhex(asked.addresses_sha256), textHash(asked.issued_at), textHash(asked.expires_at), unhex(asked.nonce),
    unhex(shaText(asked)),
  ));
  return keccak256(join(Uint8Array.of(0x19, 0x01), domain, message));
}

function signatureProblems(proof, asked) {
  const problems = [], contract = proof.scheme === "eip1271", say = (holds, words) => { if (!holds) problems.push(words); };
  say(["key", "delegated", "contract"].includes(proof.account_kind), proof.account_kind + " is no kind of account");
  say(contract === (proof.account_kind === "contract"), "scheme " + proof.scheme + " for an account of kind " + proof.account_kind);
  say(!proof.coins.length, "accounts have no coins of their own");
  if (!["eip191", "eip712", "eip1271"].includes(proof.scheme)) return [...problems, proof.scheme + " is no scheme of EVM accounts"];
  if (contract) {
    say(/^0x(?:[0-9a-fA-F]{2}){0,16384}$/.test(proof.signature), "the signature is not hex, or too long");
    return problems;
  }
  try {
    if (!isEvmAddress(proof.address)) refuse("not an address");
    const signer = signerOf((proof.scheme === "eip191" ? textDigest : typedDigest)(asked, proof.address), proof.signature);
    say(signer === proof.address, "another key signed, or other words: the signature leads to " + signer);
  } catch (error) {
    if (!(error instanceof Contradiction)) throw error;
    problems.push(error.message);
  }
  return problems;
}

// What is wrong, how much was compared, and how many proofs of Bitcoin addresses were not judged.
function checkKeyProofs(all) {
  const challenges = new Map(all.key_challenges.map((r) => [r.challenge.nonce, r])), problems = [];
  const wallets = new Set(all.wallets.map((r) => account(r.chain_id, r.address))), answered = new Set(all.key_proofs.map((r) => r.nonce));
  if (challenges.size !== all.key_challenges.length) problems.push("two challenges have one nonce");
  for (const { challenge, addresses } of all.key_challenges) {
    const where = "challenge " + challenge.nonce + ": ", accounts = addresses.map((each) => account(challenge.chain_id, each)).sort();
    if (challenge.address_count !== addresses.length) problems.push(where + "asks another number of addresses than are listed");
    if (shaText(accounts) !== challenge.addresses_sha256) problems.push(where + "the list of addresses is not the one that was signed");
    if (!answered.has(challenge.nonce)) problems.push(where + "no proof rests on it");
  }
  problems.push(...twice(all.key_proofs, (r) => account(r.chain_id, r.address)).map((at) => "proof of " + at + " stands more than once"));
  let notJudged = 0;
  for (const r of all.key_proofs) {
    const where = "proof of " + r.address + ": ", found = challenges.get(r.nonce), say = (holds, words) => { if (!holds) problems.push(where + words); };
    say(wallets.has(account(r.chain_id, r.address)), "no mapped wallet");
    if (!found) { problems.push(where + "its challenge is not in the bundle"); continue; }
    const asked = found.challenge;
    say(found.addresses.includes(r.address), "the challenge does not ask this address");
    say(r.chain_id === asked.chain_id, "the challenge is of another chain");
    say(asked.issued_at <= r.answered_at && r.answered_at < asked.expires_at, "answered outside the time of its challenge");
    say(r.answered_at <= all.manifest.created_at, "answered after the bundle was made");
    say(r.height >= asked.height, "the chain was asked below the block of the challenge");
    say(asked.schemes.includes(r.scheme), "the challenge does not accept " + r.scheme);
    if (namespace(asked.chain_id) === "bip122") notJudged += 1;
    else problems.push(...signatureProblems(r, asked).map((each) => where + each));
  }
  return { ...outcome(all.wallets.length + all.key_challenges.length + all.key_proofs.length, problems), notJudged };
}
