// Check 26: transactions and their receipts under a block's hash, and that transfers are what they did.
const GAS_PRICES = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 2 }; // fields of each type of transaction that say what is paid for gas
const EVENTS = {
  transfer: "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
  deposit: "e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c",
  withdrawal: "7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65",
};

function numberBytes(value) {
  const digits = value.toString(16);
  return value ? unhex(digits.padStart(digits.length + (digits.length % 2), "0")) : new Uint8Array(0);
}
function rlpFramed(bytes, short) { // `short` is 0x80 for bytes, 0xc0 for a list's content
  if (short === 0x80 && bytes.length === 1 && bytes[0] < 0x80) return bytes;
  if (bytes.length < 56) return join(Uint8Array.of(short + bytes.length), bytes);
  const length = numberBytes(BigInt(bytes.length));
  return join(Uint8Array.of(short + 55 + length.length), length, bytes);
}
const opened = (encoded) => (encoded[0] >= 0xc0 ? { type: 0, items: rlpList(encoded) } : { type: encoded[0], items: rlpList(encoded.subarray(1)) });

// Whom a transaction pays what, and who signed it; null for a type that is not known.
function readTransaction(encoded) {
  const { type, items } = opened(encoded), typed = type ? 1 : 0;
  if (!(type in GAS_PRICES)) return null;
  const gas = typed + 1 + GAS_PRICES[type], whole = (from) => join(...from.map((each) => each.whole));
  if (items.length < gas + 7) refuse("a transaction has too few fields");
  const [closing, r, s] = items.slice(-3).map((each) => rlpNumber(each));
  let parity = closing, signed = join(Uint8Array.of(type), rlpFramed(whole(items.slice(0, -3)), 0xc0));
  if (!typed && (closing === 27n || closing === 28n)) [parity, signed] = [closing - 27n, rlpFramed(whole(items.slice(0, 6)), 0xc0)];
  else if (!typed) {
    const chainNumber = closing > 35n ? (closing - 35n) / 2n : 0n, ending = join(rlpFramed(numberBytes(chainNumber), 0x80), Uint8Array.of(0x80, 0x80));
    [parity, signed] = [modulo(closing - 35n, 2n), rlpFramed(join(whole(items.slice(0, 6)), ending), 0xc0)];
  }
  if (parity > 1n) refuse("a transaction has an impossible parity");
  const receiver = rlpString(items[gas + 1]), sender = signerBy(keccak256(signed), r, s, Number(parity));
  if (![0, 20].includes(receiver.length)) refuse("a transaction's receiver is no address");
  const created = () => keccak256(rlpFramed(join(rlpFramed(unhex(sender), 0x80), items[typed].whole), 0xc0)).subarray(12);
  return { sender, receiver: checksumAddress("0x" + hex(receiver.length ? receiver : created())), value: rlpNumber(items[gas + 2]) };
}

function readReceipt(encoded) {
  const { items } = opened(encoded);
  if (items.length !== 4 || rlpString(items[2]).length !== 256) refuse("a receipt has an outcome, gas, a bloom and logs");
  const logs = rlpList(items[3].whole).map((each) => {
    const [place, topics, data, ...more] = rlpList(each.whole);
    if (more.length || data === undefined) refuse("a log has an address, topics and data");
    return { contract: hex(rlpString(place)), topics: rlpList(topics.whole).map((topic) => hex(rlpString(topic))), data: rlpString(data) };
  });
  return { succeeded: hex(rlpString(items[0])) === "01", logs };
}

// What lies at a place of an ordered trie, by exactly these nodes in this order.
function placedAt(root, place, nodes) {
  const pool = new Pool(nodes.map(unhex)), found = pool.lookUp(root, nibbles(rlpFramed(numberBytes(BigInt(place)), 0x80)));
  if (found === null) refuse("the block has nothing there");
  if (pool.held.size !== nodes.length || String([...pool.used]) !== String([...pool.held.keys()])) refuse("the nodes are not exactly those on the way");
  return found;
}

// The movements of a token that its Transfer events tell, and whether other events could tell more of it.
function movementsOf(receipt, assetId) {
  const [, kind, contract, number] = /^[^/]*\/([a-z0-9]+):0x([0-9a-fA-F]{40})(?:\/(\d+))?$/.exec(assetId) || [];
  if (!["erc20", "erc721"].includes(kind)) return { told: [], complete: false };
  const own = receipt.logs.filter((log) => log.contract === contract.toLowerCase()), told = [];
  const holder = (topic) => checksumAddress("0x" + topic.slice(24));
  for (const log of own.filter((each) => each.topics[0] === EVENTS.transfer && receipt.succeeded)) {
    const plain = kind === "erc20" && log.topics.length === 3 && log.data.length === 32;
    const single = kind === "erc721" && log.topics.length === 4 && !log.data.length && BigInt("0x" + log.topics[3]) === BigInt(number || 0);
    if (plain || single) told.push(key(holder(log.topics[1]), holder(log.topics[2]), plain ? big(log.data) : 1n));
  }
  return { told, complete: !own.some((log) => [EVENTS.deposit, EVENTS.withdrawal].includes(log.topics[0])) };
}

function transactionProblems(proof, transfers, left, assets) {
  const header = unhex(proof.header), problems = [], say = (holds, words) => { if (!holds) problems.push(words); };
  if (namespace(proof.chain_id) !== "eip155") refuse("no chain whose headers commit to transactions");
  if ("0x" + hex(keccak256(header)) !== proof.block_hash) refuse("the header does not hash to its block");
  const fields = rlpList(header);
  if (fields.length < 15) refuse("the header has fewer than 15 fields");
  const encoded = placedAt(rlpHash(fields[4]), proof.place, proof.transaction_nodes), receipt = readReceipt(placedAt(rlpHash(fields[5]), proof.place, proof.receipt_nodes));
  if ("0x" + hex(keccak256(encoded)) !== proof.tx_id) refuse("the transaction there is another one");
  const height = rlpNumber(fields[8]), moment = rlpNumber(fields[11]) * 1000000n, transaction = readTransaction(encoded);
  say(transfers.every((r) => BigInt(r.height) === height && micros(r.block_time) === moment), "its block has another height or time than its transfers");
  const coins = transfers.filter((r) => r.kind === "native"), tokens = grouped(transfers.filter((r) => r.kind === "token"), (r) => r.asset_id);
  say(coins.length <= 1, "it moves the native coin at its top level more than once");
  for (const r of coins) {
    const pays = transaction && receipt.succeeded && transaction.value === r.base_units && transaction.sender === r.sender && transaction.receiver === r.receiver;
    say(pays, "it does not pay " + r.base_units + " from " + r.sender + " to " + r.receiver);
  }
  for (const [assetId, stated] of tokens) {
    if (!assets.has(assetId)) refuse(assetId + " is not in the bundle");
    const { told, complete } = movementsOf(receipt, assetId);
    for (const r of stated) {
      const place = told.indexOf(key(r.sender, r.receiver, r.base_units));
      if (place >= 0) told.splice(place, 1);
      else if (complete) problems.push("its receipt does not show " + r.base_units + " of " + assetId + " from " + r.sender + " to " + r.receiver);
      else left.count += 1;
    }
  }
  return problems;
}

function checkTransactions(all) {
  if (!all.transaction_proofs.length) return null;
  const at = (r) => key(r.chain_id, r.block_hash, r.tx_id), transfers = grouped(all.transfers, at), left = { count: 0 }, assets = new Set(all.assets.map((r) => r.asset_id));
  const problems = twice(all.transaction_proofs, at).map((each) => "transaction " + each + " is proven more than once");
  let compared = 0;
  for (const proof of all.transaction_proofs) {
    const own = transfers.get(at(proof)) || [], where = "transaction " + proof.tx_id + ": ";
    compared += own.length;
    const found = own.length ? tried(() => transactionProblems(proof, own, left, assets)) : ["it has no transfer in the bundle"];
    problems.push(...found.map((each) => where + each));
  }
  return { ...outcome(compared, problems), left: left.count };
}
