// Check 32: kept answers of nodes, decoded again, say the balances. What was asked is built anew from the record. Of the
// two ways that run a program on the node (`state-override`, `initcode`), whose balances it was asked for and at which
// block are looked at; that the program is the scanner is not.
const MULTICALL = "0xca11bde05977b3631167028862be2a173976ca11", REVERTS = /revert/i, OUT_OF_GAS = /out ?of ?gas|gas required|invalid ?\w*opcode/i;
const wordHex = (value) => value.toString(16).padStart(64, "0"), addressWord = (address) => address.slice(2).toLowerCase().padStart(64, "0");
const pinOf = (sweep) => ({ blockHash: sweep.block_hash, requireCanonical: true });
const callText = (call) => canonicalText([call.method, call.params]);

function tokenOf(assetId) {
  const found = /\/(erc20|erc721|erc1155):(0x[0-9a-fA-F]{40})(?:\/([0-9]+))?$/.exec(assetId);
  return found ? { standard: found[1], contract: found[2].toLowerCase(), number: found[3] === undefined ? null : BigInt(found[3]) } : null;
}
function balanceCall(token, address) {
  return token.number === null ? "70a08231" + addressWord(address) : "00fdd58e" + addressWord(address) + wordHex(token.number);
}

// What is kept: a line of JSON with the calls, then the body as the node sent it.
function parseExchange(data) {
  const end = data.indexOf(10);
  if (end < 0) refuse("this is no kept answer");
  const head = parseCanonical(data.subarray(0, end)), calls = head.calls, single = !head.batch;
  const wanted = Array.isArray(calls) && calls.map((call) => ({ method: call.method, params: call.params }));
  if (!wanted || !wanted.length || (single && wanted.length > 1) || typeof head.batch !== "boolean" || !Number.isSafeInteger(head.first_id) ||
    canonicalText({ batch: head.batch, calls: wanted, first_id: head.first_id, format: "custody-node-answer/1" }) !== canonicalText(head)) refuse("this is no kept answer");
  const body = parseByHand(data.subarray(end + 1)), outcomes = new Array(calls.length).fill(undefined);
  const open = (answer) => {
    if (answer === null || typeof answer !== "object" || Array.isArray(answer) || answer.jsonrpc !== "2.0" || ("result" in answer) === ("error" in answer)) refuse("an answer is no JSON-RPC object");
    return "error" in answer ? { id: answer.id, failed: answer.error } : { id: answer.id, result: answer.result };
  };
  if (single) {
    const answer = open(body);
    if (answer.id !== head.first_id && !(answer.id === null && answer.failed)) refuse("the answer's id is not the request's");
    outcomes[0] = answer;
  } else {
    if (!Array.isArray(body) || body.length !== calls.length) refuse("a batch has another number of answers");
    for (const each of body) {
      const answer = open(each), place = answer.id - head.first_id;
      if (!Number.isSafeInteger(answer.id) || !(place in outcomes) || outcomes[place] !== undefined) refuse("a batch answer has an id that was not asked, or twice");
      outcomes[place] = answer;
    }
  }
  return { calls, outcomes };
}

function returned(outcome) {
  if (!outcome || outcome.failed) return null;
  if (typeof outcome.result !== "string" || !/^0x(?:[0-9a-f]{2})*$/i.test(outcome.result)) return null;
  return unhex(outcome.result);
}
const number = (bytes) => (bytes.length ? BigInt("0x" + hex(bytes)) : 0n);
const oneWord = (bytes) => (bytes && bytes.length === 32 ? number(bytes) : null);

// Each way of reading: the calls it makes, and the columns of values (null for no balance) of as many holders as were done.
const READINGS = {
  batch: (sweep, addresses, tokens) => {
    const calls = tokens.flatMap((token) => addresses.map((address) => (token === null
      ? { method: "eth_getBalance", params: ["0x" + address.slice(2).toLowerCase(), pinOf(sweep)] }
      : { method: "eth_call", params: [{ to: token.contract, data: "0x" + balanceCall(token, address) }, pinOf(sweep)] })));
    const quantity = (outcome) => (outcome && !outcome.failed && typeof outcome.result === "string" && /^0x(0|[1-9a-f][0-9a-f]{0,63})$/i.test(outcome.result) ? BigInt(outcome.result) : null);
    return { calls, decode: (outcomes) => tokens.map((token, column) => addresses.map((_, row) => {
      const outcome = outcomes[column * addresses.length + row];
      return token === null ? quantity(outcome) : oneWord(returned(outcome));
    })) };
  },
  multicall3: (sweep, addresses, tokens) => {
    const getters = ["3408e470", "42cbb15c", "0f28c97d", sweep.height ? "ee82ac5e" + wordHex(sweep.height - 1) : "3408e470"];
    const asked = getters.map((data) => [MULTICALL, data]);
    for (const token of tokens) for (const address of addresses) {
      asked.push(token === null ? [MULTICALL, "4d2301cc" + addressWord(address)] : [token.contract, balanceCall(token, address)]);
    }
    const room = Math.ceil(Math.max(...asked.map(([, data]) => data.length / 2)) / 32) * 32, step = 128 + room;
    const parts = ["82ad56cb", wordHex(32), wordHex(asked.length), ...asked.map((_, at) => wordHex(32 * asked.length + step * at))];
    for (const [target, data] of asked) parts.push(addressWord(target), wordHex(1), wordHex(96), wordHex(Math.max(36, data.length / 2)), data.padEnd(2 * room, "0"));
    const decode = ([outcome]) => {
      const output = returned(outcome), wordAt = (place) => (output && place + 32 <= output.length ? Number(number(output.subarray(place, place + 32))) : NaN);
      if (wordAt(0) !== 32 || wordAt(32) !== asked.length) refuse("the output does not hold as many results as were asked for");
      const results = asked.map((_, at) => {
        const start = 64 + wordAt(64 + 32 * at), success = wordAt(start), size = wordAt(start + 64);
        if (!(success <= 1) || wordAt(start + 32) !== 64 || !(start + 96 + size <= output.length)) refuse("a result is malformed");
        return success ? oneWord(output.subarray(start + 96, start + 96 + size)) : null;
      });
      const parent = sweep.height ? results[3] : BigInt(sweep.parent_hash);
      mustBeHere(sweep, results[0], results[1], results[2], parent);
      return tokens.map((_, column) => addresses.map((_, row) => results[4 + column * addresses.length + row]));
    };
    return { calls: [{ method: "eth_call", params: [{ to: MULTICALL, data: "0x" + parts.join("") }, pinOf(sweep)] }], decode };
  },
  "state-override": (sweep, addresses, tokens) => scanning(sweep, addresses, tokens, (call) => {
    const [{ to, data } = {}, , override] = call.params;
    return call.params.length === 3 && Object.keys(call.params[0]).length === 2 && data === "0x" + packed(addresses) && canonicalText(Object.keys(override)) === canonicalText([to]) && Object.keys(override[to]).join() === "code";
  }),
  initcode: (sweep, addresses, tokens) => scanning(sweep, addresses, tokens, (call) =>
    call.params.length === 2 && Object.keys(call.params[0]).join() === "data" && typeof call.params[0].data === "string" && call.params[0].data.endsWith(packed(addresses))),
  "owner-of": (sweep, addresses, [token]) => {
    if (!token || token.number === null) refuse("an owner is asked for of one token with a number");
    const calls = [
      { method: "eth_call", params: [{ to: token.contract, data: "0x6352211e" + wordHex(token.number) }, pinOf(sweep)] },
      { method: "eth_getCode", params: [token.contract, pinOf(sweep)] },
    ];
    const decode = ([answer, code]) => {
      const has = (returned(code) || []).length > 0, data = returned(answer), failed = answer && answer.failed;
      const reverts = failed && (failed.code === 3 || REVERTS.test(failed.message)) && !OUT_OF_GAS.test(failed.message);
      if (reverts) return [addresses.map(() => (has ? 0n : null))];
      if (!data || data.length !== 32 || data.subarray(0, 12).some((byte) => byte)) return [addresses.map(() => null)];
      return [addresses.map((address) => (hex(data.subarray(12)) === address.slice(2).toLowerCase() ? 1n : 0n))];
    };
    return { calls, decode };
  },
};
const packed = (addresses) => addresses.map((address) => address.slice(2).toLowerCase()).join("");
function mustBeHere(sweep, chainNumber, height, seconds, parent) {
  const here = String([sweep.chain_id.split(":")[1], sweep.height, micros(sweep.block_time) / 1000000n, BigInt(sweep.parent_hash)]);
  if (String([chainNumber, height, seconds, parent]) !== here) refuse("the node read at another block");
}
function scanning(sweep, addresses, tokens, asks) {
  const coins = tokens[0] === null ? tokens.slice(1) : tokens, native = tokens[0] === null, step = 33 * (1 + coins.length);
  const decode = ([outcome]) => {
    const output = returned(outcome);
    if (!output || output.length < 224) refuse("the output is shorter than its header");
    const words = [0, 1, 2, 3, 4, 5, 6].map((at) => number(output.subarray(32 * at, 32 * at + 32))), done = Number(words[6]);
    if (done > addresses.length || output.length !== 224 + done * step || words[5] > words[4]) refuse("the output does not have its form");
    mustBeHere(sweep, words[0], words[1], words[2], words[3]);
    const column = (at, good) => addresses.slice(0, done).map((_, row) => {
      const place = 224 + row * step + 33 * at;
      return good(output[place]) ? number(output.subarray(place + 1, place + 33)) : null;
    });
    const first = column(0, (kind) => kind >= 16 && kind <= 19);
    if (first.includes(null)) refuse("the output has an unknown account kind");
    return [...(native ? [first] : []), ...coins.map((_, at) => column(at + 1, (status) => status === 1))];
  };
  const fits = (call) => call.method === "eth_call" && canonicalText(call.params[1]) === canonicalText(pinOf(sweep)) && asks(call);
  return { fits, decode };
}

// The columns that the kept exchanges give, and the calls that were asked for.
function replayed(record, sweep, exchanges) {
  const tokens = record.asset_ids.map(tokenOf), owned = record.method === "owner-of";
  if (!Object.hasOwn(READINGS, record.method)) refuse("there is no such way of reading");
  if (tokens.slice(1).includes(null) || (!owned && tokens.some((token) => token && token.standard === "erc721"))) refuse("what is asked for is not in its order");
  if (owned && tokens.length !== 1) refuse("an owner is asked for of one token");
  const reading = READINGS[record.method](sweep, record.addresses, tokens), said = new Map();
  for (const { calls, outcomes } of exchanges) calls.forEach((call, at) => said.set(callText(call), [call, outcomes[at]]));
  const asked = reading.calls ? reading.calls.map(callText) : [...said].filter(([, [call]]) => reading.fits(call)).map(([text]) => text);
  if (reading.fits && asked.length !== 1) refuse("what was asked is not kept");
  return { columns: reading.decode(asked.map((text) => (said.has(text) ? said.get(text)[1] : null))), asked };
}

async function checkAnswers(all, entries, contents) {
  const files = new Set(all.manifest.files.filter((each) => each.name.startsWith("answers/")).map((each) => each.name.slice(8)));
  if (!files.size && !all.node_answers.some((each) => each.answers.length)) return null;
  const balances = new Map(all.balances.map((r) => [key(r.chain_id, r.address, r.asset_id), r])), problems = [], decided = new Set();
  const exchanges = new Map(), asked = new Map(), named = new Set(all.node_answers.flatMap((each) => each.answers));
  let compared = 0, notKept = 0, programs = 0;
  for (const digest of files) if (!named.has(digest)) problems.push("answers/" + digest + " decides nothing");
  for (const record of all.node_answers) {
    const where = record.chain_id + ": " + record.node_id + " by " + record.method + ", from " + record.addresses[0] + " on: ";
    const sweep = all.sweeps.find((each) => each.chain_id === record.chain_id);
    if (!sweep || sweep.sweep_id !== record.sweep_id || namespace(record.chain_id) !== "eip155") { problems.push(where + "of another sweep"); continue; }
    const own = [];
    record.asset_ids.forEach((assetId, column) => record.addresses.slice(0, record.decided).forEach((address, row) => {
      const place = key(record.chain_id, address, assetId), balance = balances.get(place);
      if (!balance || balance.node_id !== record.node_id) return;
      if (decided.has(place)) problems.push(where + assetId + " of " + address + " is decided twice");
      decided.add(place);
      own.push([balance, column, row]);
    }));
    if (!own.length) problems.push(where + "decides no balance of this bundle");
    if (!record.answers.length) { notKept += own.length; continue; }
    if (record.answers.some((digest) => !files.has(digest))) { problems.push(where + "an answer is missing"); continue; }
    let said;
    try {
      for (const digest of record.answers) if (!exchanges.has(digest)) exchanges.set(digest, parseExchange(await contents(entries.get("answers/" + digest))));
      said = replayed(record, sweep, record.answers.map((digest) => exchanges.get(digest)));
    } catch (error) {
      problems.push(where + "the answers decide nothing: " + error.message);
      continue;
    }
    for (const digest of record.answers) asked.set(digest, new Set([...(asked.get(digest) || []), ...said.asked]));
    if (said.columns[0].length !== record.decided) { problems.push(where + "decides another number of addresses"); continue; }
    if (["state-override", "initcode"].includes(record.method)) programs += own.length;
    for (const [balance, column, row] of own) {
      compared += 1;
      if (balance.status !== "ok") continue;
      if (balance.method !== record.method) problems.push(where + balance.asset_id + " of " + balance.address + " was read by " + balance.method);
      else if (said.columns[column][row] !== balance.base_units) problems.push(where + balance.asset_id + " of " + balance.address + " is not what was answered");
    }
  }
  for (const [digest, texts] of asked) {
    if (exchanges.get(digest).calls.some((call) => !texts.has(callText(call)))) problems.push("answers/" + digest + " asks for something that no record names");
  }
  const sweeps = new Set(all.node_answers.map((each) => each.sweep_id));
  for (const [place, balance] of balances) {
    if (sweeps.has(balance.sweep_id) && balance.status === "ok" && !decided.has(place)) problems.push(balance.chain_id + ": no kept answer decides " + balance.asset_id + " of " + balance.address);
  }
  const found = outcome(compared, problems, [], notKept ? notKept + " balances without a kept answer, for a reason each" : "");
  return { ...found, programs };
}
