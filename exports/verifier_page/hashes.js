// Bytes and digests. SHA-256 of large members is asked of the browser; trees need many small ones at once, so it is
// here too, and held against the browser's before anything is checked. Keccak-256 is in no browser.
const utf8 = new TextEncoder();
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.replace(/^0x/, "").match(/../g) || [], (pair) => parseInt(pair, 16));
const sum = (amounts) => amounts.reduce((total, each) => total + each, 0n);

function join(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) { joined.set(part, at); at += part.length; }
  return joined;
}

function sameBytes(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

// Negative, zero or positive, as the bytes of the one come before, are, or come after those of the other.
function compareBytes(one, other) {
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at++) if (one[at] !== other[at]) return one[at] - other[at];
  return one.length - other.length;
}

const ROUND_CONSTANTS = (() => {
  // The first 32 bits of the fractions of the cube roots of the first 64 primes (FIPS 180-4), in whole numbers.
  const found = [], primes = [];
  for (let number = 2; found.length < 64; number++) {
    if (primes.some((prime) => number % prime === 0)) continue;
    primes.push(number);
    const wanted = BigInt(number) << 96n;
    let root = 0n;
    for (let bit = 40n; bit >= 0n; bit--) if ((root | (1n << bit)) ** 3n <= wanted) root |= 1n << bit;
    found.push(Number(root & 0xffffffffn) | 0);
  }
  return Int32Array.from(found);
})();

function sha256(data) {
  const length = data.length, padded = new Uint8Array((length + 72) & ~63);
  padded.set(data);
  padded[length] = 128;
  const words = new DataView(padded.buffer), w = new Int32Array(64);
  words.setUint32(padded.length - 8, Math.floor(length / 0x20000000));
  words.setUint32(padded.length - 4, (length * 8) >>> 0);
  const h = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
  for (let block = 0; block < padded.length; block += 64) {
    for (let t = 0; t < 16; t++) w[t] = words.getInt32(block + t * 4);
    for (let t = 16; t < 64; t++) {
      const x = w[t - 15], y = w[t - 2];
      const small = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const large = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[t] = (w[t - 16] + small + w[t - 7] + large) | 0;
    }
    let a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
    for (let t = 0; t < 64; t++) {
      const big = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const first = (k + big + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[t] + w[t]) | 0;
      const turned = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const second = (turned + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      k = g; g = f; f = e; e = (d + first) | 0; d = c; c = b; b = a; a = (first + second) | 0;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += k;
  }
  const digest = new Uint8Array(32), view = new DataView(digest.buffer);
  h.forEach((word, at) => view.setInt32(at * 4, word));
  return digest;
}

// Keccak-f works on lanes of 64 bits: here two words of 32 each, low and high.
const KECCAK = (() => {
  const rounds = [], turns = new Uint8Array(25);
  let register = 1;
  for (let round = 0; round < 24; round++) { // the shift register of the specification gives the constants
    const constant = [0, 0];
    for (let j = 0; j < 7; j++) {
      const bit = (1 << j) - 1;
      if (register & 1) constant[bit >> 5] |= 1 << (bit & 31);
      register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1;
    }
    rounds.push(constant);
  }
  for (let t = 0, x = 1, y = 0; t < 24; t++) {
    turns[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return { rounds, turns };
})();

function keccakPermute(low, high) {
  const columnLow = new Int32Array(5), columnHigh = new Int32Array(5), movedLow = new Int32Array(25), movedHigh = new Int32Array(25);
  for (const [constantLow, constantHigh] of KECCAK.rounds) {
    for (let x = 0; x < 5; x++) {
      columnLow[x] = low[x] ^ low[x + 5] ^ low[x + 10] ^ low[x + 15] ^ low[x + 20];
      columnHigh[x] = high[x] ^ high[x + 5] ^ high[x + 10] ^ high[x + 15] ^ high[x + 20];
    }
    for (let x = 0; x < 5; x++) {
      const before = (x + 4) % 5, after = (x + 1) % 5;
      const mixLow = columnLow[before] ^ ((columnLow[after] << 1) | (columnHigh[after] >>> 31));
      const mixHigh = columnHigh[before] ^ ((columnHigh[after] << 1) | (columnLow[after] >>> 31));
      for (let y = 0; y < 5; y++) {
        const from = x + 5 * y, to = y + 5 * ((2 * x + 3 * y) % 5), by = KECCAK.turns[from];
        let a = low[from] ^ mixLow, b = high[from] ^ mixHigh;
        if (by >= 32) [a, b] = [b, a];
        const rest = by & 31;
        movedLow[to] = rest ? (a << rest) | (b >>> (32 - rest)) : a;
        movedHigh[to] = rest ? (b << rest) | (a >>> (32 - rest)) : b;
      }
    }
    for (let row = 0; row < 25; row += 5) for (let x = 0; x < 5; x++) {
      const next = row + ((x + 1) % 5), further = row + ((x + 2) % 5);
      low[row + x] = movedLow[row + x] ^ (~movedLow[next] & movedLow[further]);
      high[row + x] = movedHigh[row + x] ^ (~movedHigh[next] & movedHigh[further]);
    }
    low[0] ^= constantLow;
    high[0] ^= constantHigh;
  }
}

function keccak256(data) {
  const rate = 136, padded = new Uint8Array((Math.floor(data.length / rate) + 1) * rate);
  padded.set(data);
  padded[data.length] ^= 0x01;
  padded[padded.length - 1] ^= 0x80;
  const view = new DataView(padded.buffer), low = new Int32Array(25), high = new Int32Array(25);
  for (let block = 0; block < padded.length; block += rate) {
    for (let lane = 0; lane < rate / 8; lane++) {
      low[lane] ^= view.getInt32(block + lane * 8, true);
      high[lane] ^= view.getInt32(block + lane * 8 + 4, true);
    }
    keccakPermute(low, high);
  }
  const digest = new Uint8Array(32), out = new DataView(digest.buffer);
  for (let lane = 0; lane < 4; lane++) {
    out.setInt32(lane * 8, low[lane], true);
    out.setInt32(lane * 8 + 4, high[lane], true);
  }
  return digest;
}

// Bytes of standard base64 in its one spelling; null for anything else.
function base64Bytes(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4) return null;
  const binary = atob(text);
  return btoa(binary) === text ? Uint8Array.from(binary, (letter) => letter.charCodeAt(0)) : null;
}
