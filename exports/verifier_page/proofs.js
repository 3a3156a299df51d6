// Check 24: header, tries and storage layouts. What is proven is that the block hash commits to the balance.
const EMPTY_ROOT = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
const EMPTY_CODE = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
const PROXY_CODE = ["363d3d373d3d3d363d73", "5af43d82803e903d91602b57fd5bf3"]; // EIP-1167, before and after the address

// RLP: {list, bytes, whole, end} of the item at a place, in its shortest form only.
function rlpItem(data, at) {
  const first = data[at];
  if (first === undefined) refuse("RLP ends too early");
  if (first < 0x80) return { list: false, bytes: data.subarray(at, at + 1), whole: data.subarray(at, at + 1), end: at + 1 };
  const list = first >= 0xc0, tag = first - (list ? 0xc0 : 0x80);
  let length = tag, begin = at + 1;
  if (tag > 55) {
    const width = tag - 55;
    length = 0;
    for (let n = 0; n < width; n++) length = length * 256 + data[begin + n];
    if (!(length > 55) || data[begin] === 0 || width > 6) refuse("RLP states a length not in its shortest form");
    begin += width;
  }
  const end = begin + length;
  if (end > data.length) refuse("RLP ends too early");
  if (!list && length === 1 && data[begin] < 0x80) refuse("RLP writes one byte not in its shortest form");
  return { list, bytes: data.subarray(begin, end), whole: data.subarray(at, end), end };
}
function rlpList(data) {
  const outer = rlpItem(data, 0), items = [];
  if (!outer.list || outer.end !== data.length) refuse("not one RLP list");
  for (let at = 0; at < outer.bytes.length;) { const item = rlpItem(outer.bytes, at); items.push(item); at = item.end; }
  return items;
}
function rlpString(item) {
  if (item.list) refuse("a list stands where bytes are due");
  return item.bytes;
}
function rlpNumber(item, widest = 32) {
  const bytes = rlpString(item);
  if (bytes.length > widest || bytes[0] === 0) refuse("a number is too large, or has leading zeros");
  return bytes.length ? big(bytes) : 0n;
}
function rlpHash(item) {
  const bytes = rlpString(item);
  if (bytes.length !== 32) refuse("a hash does not have 32 bytes");
  return hex(bytes);
}
function oneItem(data) {
  const item = rlpItem(data, 0);
  if (item.end !== data.length) refuse("data stand behind an RLP item");
  return item;
}

const nibbles = (bytes) => Array.from(bytes).flatMap((byte) => [byte >> 4, byte & 15]);

// A node as {children} of a branch, or {path, child} of an extension, or {path, value} of a leaf. A child is a hash as
// hex digits, a node that stands in its parent, or null.
function readNode(data) {
  const items = rlpList(data);
  if (items.length === 17) {
    if (items[16].list || items[16].bytes.length) refuse("a branch has a value");
    const children = items.slice(0, 16).map(readChild);
    if (children.filter((each) => each !== null).length < 2) refuse("a branch has fewer than two children");
    return { children };
  }
  if (items.length !== 2) refuse("a node has 17 or 2 items");
  const digits = nibbles(rlpString(items[0])), flag = digits[0];
  if (flag === undefined || flag > 3) refuse("a path has no flag");
  if (!(flag & 1) && digits[1] !== 0) refuse("the padding of a path is not zero");
  const path = digits.slice(flag & 1 ? 1 : 2);
  if (flag < 2) {
    const child = readChild(items[1]);
    if (!path.length || child === null) refuse("an extension leads nowhere");
    if (typeof child !== "string" && !child.children) refuse("an extension leads to no branch");
    return { path, child };
  }
  const value = rlpString(items[1]);
  if (!value.length) refuse("a leaf is empty");
  return { path, value };
}
function readChild(item) {
  if (!item.list) {
    if (!item.bytes.length) return null;
    return rlpHash(item);
  }
  if (item.whole.length >= 32) refuse("a node stands in its parent although it is as long as a hash");
  return readNode(item.whole);
}

// All nodes of the bundle by their hash, each read when it is first needed.
class Pool {
  constructor(nodes) {
    this.held = new Map(nodes.map((bytes) => [hex(keccak256(bytes)), { bytes, node: null }]));
    this.used = new Set();
  }

  node(hash, isRoot) {
    const found = this.held.get(hash);
    if (!found) refuse("the node " + hash.slice(0, 12) + " is missing");
    this.used.add(hash);
    if (!isRoot && found.bytes.length < 32) refuse("a node shorter than a hash does not stand in its parent");
    found.node = found.node || readNode(found.bytes);
    return found.node;
  }

  // The value under keccak256 of a key; null where the trie has none.
  find(root, key) {
    return this.lookUp(root, nibbles(keccak256(key)));
  }

  // The same under a path of nibbles.
  lookUp(root, path) {
    if (root === EMPTY_ROOT) return null;
    let next = root, depth = 0, mustBranch = false;
    while (next !== null) {
      const node = typeof next === "string" ? this.node(next, next === root && depth === 0) : next;
      if (node.children) {
        if (depth === path.length) refuse("a branch stands where the key has ended");
        next = node.children[path[depth]];
        depth += 1;
        mustBranch = false;
        continue;
      }
      if (mustBranch) refuse("an extension leads to no branch");
      const end = depth + node.path.length, same = node.path.every((each, at) => each === path[depth + at]);
      if (node.value) {
        if (end !== path.length) refuse("a leaf ends a key of another length");
        return same ? node.value : null;
      }
      if (end >= path.length) refuse("an extension is longer than the rest of the key");
      if (!same) return null;
      [next, depth, mustBranch] = [node.child, end, true];
    }
    return null;
  }

  account(root, address) {
    const value = this.find(root, unhex(address));
    if (value === null) return { balance: 0n, storage: EMPTY_ROOT, code: EMPTY_CODE };
    const fields = rlpList(value);
    if (fields.length !== 4) refuse("an account does not have four fields");
    rlpNumber(fields[0], 8);
    return { balance: rlpNumber(fields[1]), storage: rlpHash(fields[2]), code: rlpHash(fields[3]) };
  }

  word(account, slot) {
    const value = this.find(account.storage, wide(slot));
    if (value === null) return 0n;
    return rlpNumber(oneItem(value)); // some chains keep a zero that others remove: it is zero either way
  }
}

function headerRoot(r, sweep) {
  const encoded = unhex(r.header);
  if (namespace(r.chain_id) !== "eip155") refuse("no header of this chain commits to a state");
  if (!sweep || sweep.block_hash !== r.block_hash) refuse("it is not the block of a sweep in the bundle");
  if ("0x" + hex(keccak256(encoded)) !== r.block_hash) refuse("it does not hash to its block");
  const fields = rlpList(encoded);
  if (fields.length < 15) refuse("it has fewer than 15 fields");
  const seconds = micros(sweep.block_time) / 1000000n;
  const same = "0x" + hex(rlpString(fields[0])) === sweep.parent_hash && rlpNumber(fields[8]) === BigInt(sweep.height) && rlpNumber(fields[11]) === seconds;
  if (!same) refuse("its parent hash, number or time are not those of the sweep");
  return rlpHash(fields[3]);
}

// The layout holds for the token as it is in this state, or a contradiction.
function requireLayout(layout, token, root, pool) {
  const account = pool.account(root, token);
  if (layout.order === "unprovable") refuse("its layout says that it is unprovable");
  if ("0x" + account.code !== layout.code_hash) refuse("the token's code is not the reviewed one");
  if (layout.implementation === null) return account;
  const target = layout.implementation.slice(2).toLowerCase();
  if (layout.implementation_slot === null) {
    if (hex(keccak256(unhex(PROXY_CODE.join(target)))) !== account.code) refuse("the token is no minimal proxy to its implementation");
  } else if (pool.word(account, layout.implementation_slot) !== BigInt("0x" + target)) refuse("the proxy runs another implementation");
  if ("0x" + pool.account(root, layout.implementation).code !== layout.implementation_code_hash) refuse("the implementation's code is not the reviewed one");
  return account;
}

function holderSlot(layout, holder) {
  const word = wide(BigInt(holder)), slot = wide(layout.mapping_slot);
  if (layout.order === "solidity") return big(keccak256(join(word, slot)));
  if (layout.order === "vyper") return big(keccak256(join(slot, word)));
  return big(keccak256(join(unhex(holder), slot.subarray(20))));
}

function provenBalance(r, root, layouts, pool) {
  if (!isEvmAddress(r.address)) refuse("not an address");
  if (r.asset_id.includes("/slip44:")) return pool.account(root, r.address).balance;
  const layout = layouts.get(r.asset_id);
  if (!layout) refuse("proven, without a layout of its token");
  const account = requireLayout(layout, r.asset_id.slice(r.asset_id.lastIndexOf(":") + 1), root, pool);
  return (pool.word(account, holderSlot(layout, r.address)) >> BigInt(layout.first_bit)) & ((1n << BigInt(layout.bits)) - 1n);
}

function checkStateProofs(all) {
  const claimed = all.balances.filter((r) => r.state === "proven"), problems = [];
  if (!claimed.length && !all.proof_headers.length && !all.proof_nodes.length) return null;
  const sweeps = new Map(all.sweeps.map((r) => [r.chain_id, r])), layouts = new Map(all.token_layouts.map((r) => [r.asset_id, r]));
  const pool = new Pool(all.proof_nodes.map((r) => unhex(r.node))), roots = new Map(), chains = new Set(claimed.map((r) => r.chain_id));
  const tried = (where, work) => {
    try { work(); } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      problems.push(where + ": " + error.message);
    }
  };
  problems.push(...twice(all.proof_headers, (r) => r.chain_id).map((at) => at + " has more than one header"));
  problems.push(...twice(all.token_layouts, (r) => r.asset_id).map((at) => at + " has more than one layout"));
  for (const r of all.token_layouts) {
    if (r.approved_at > all.manifest.created_at) problems.push("the layout of " + r.asset_id + " was approved after the bundle was made");
  }
  for (const r of all.proof_headers) {
    if (!chains.has(r.chain_id)) problems.push("the header of " + r.chain_id + " belongs to no proven balance");
    tried("header of " + r.chain_id, () => roots.set(r.chain_id, headerRoot(r, sweeps.get(r.chain_id))));
  }
  for (const r of claimed) {
    tried("balance " + key(r.address, r.asset_id), () => {
      if (r.base_units === null || !roots.has(r.chain_id)) refuse("proven, without a figure or a header that holds");
      const proven = provenBalance(r, roots.get(r.chain_id), layouts, pool);
      if (proven !== r.base_units) refuse("the bundle says " + r.base_units + ", its state proof " + proven);
    });
  }
  const unused = pool.held.size - pool.used.size;
  if (unused) problems.push(unused + " nodes that no proof needs");
  return outcome(claimed.length, problems, [], pool.held.size + " trie nodes under " + all.proof_headers.length + " headers");
}
