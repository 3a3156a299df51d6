// Check 1: the one zip layout of the format. Every byte of every header is told by name, size, checksum and place, so
// each is compared with what it must be. Nothing is unpacked: members are stored.
const LIMITS = { file: 2 ** 31, members: 10000, name: 120, manifest: 2 ** 22, envelope: 6 * 2 ** 20, signatures: 16, line: 2 ** 24, stamps: 16, stamp: 2 ** 18 };
class Contradiction extends Error {}
class Obstacle extends Error {}

const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});
function crc32(data) {
  let crc = -1;
  for (let at = 0; at < data.length; at++) crc = (crc >>> 8) ^ CRC[(crc ^ data[at]) & 255];
  return ~crc >>> 0;
}

// A header as the layout has it: [width, value] each, little-endian.
function header(...fields) {
  const bytes = [];
  for (const [width, value] of fields) for (let at = 0; at < width; at++) bytes.push(Math.floor(value / 256 ** at) & 255);
  return Uint8Array.from(bytes);
}
function localHeader(entry) {
  const common = [[2, 0x0021], [4, entry.crc], [4, entry.size], [4, entry.size], [2, entry.name.length], [2, 0]];
  return join(header([4, 0x04034b50], [2, 10], [2, 0], [2, 0], [2, 0], ...common), utf8.encode(entry.name));
}
function centralHeader(entry) {
  const begin = [[4, 0x02014b50], [2, 10], [2, 10], [2, 0], [2, 0], [2, 0], [2, 0x0021], [4, entry.crc], [4, entry.size]];
  const rest = [[4, entry.size], [2, entry.name.length], [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, entry.place]];
  return join(header(...begin, ...rest), utf8.encode(entry.name));
}

// The members of a file by name, in order. `read(from, to)` gives its bytes.
async function openContainer(size, read) {
  const begin = await read(0, Math.min(2, size));
  if (begin[0] !== 0x50 || begin[1] !== 0x4b) throw new Obstacle(size ? "the file is not a zip" : "the file is empty");
  if (size > LIMITS.file) throw new Contradiction("the file is larger than 2 GiB");
  if (size < 22) throw new Contradiction("the file is too short for a zip");
  const tail = await read(size - 22, size), end = new DataView(tail.buffer, tail.byteOffset);
  const count = end.getUint16(8, true), length = end.getUint32(12, true), start = end.getUint32(16, true);
  const wanted = header([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, length], [4, start], [2, 0]);
  if (!sameBytes(tail, wanted)) throw new Contradiction("the file does not end with a plain end record");
  if (count > LIMITS.members) throw new Contradiction("there are " + count + " members; " + LIMITS.members + " are the limit");
  if (start + length + 22 !== size) throw new Contradiction("data stand before, between or behind the parts of the zip");
  if (length > count * (46 + LIMITS.name)) throw new Contradiction("the directory is larger than its members need");
  const directory = await read(start, start + length), view = new DataView(directory.buffer, directory.byteOffset);
  const entries = new Map();
  let at = 0, place = 0, before = "";
  for (let number = 0; number < count; number++) {
    if (at + 46 > length) throw new Contradiction("the directory ends inside a header");
    const nameLength = view.getUint16(at + 28, true);
    const name = String.fromCharCode(...directory.subarray(at + 46, at + 46 + Math.min(nameLength, LIMITS.name + 1)));
    if (name.length > LIMITS.name || !/^[a-z0-9][a-z0-9_.-]*(\/[a-z0-9][a-z0-9_.-]*)*$/.test(name)) {
      throw new Contradiction("a member's name is not a plain lower-case relative path");
    }
    if (name <= before) throw new Contradiction(name + " is named twice, or out of order");
    const entry = { name, crc: view.getUint32(at + 16, true), size: view.getUint32(at + 24, true), place };
    const own = centralHeader(entry);
    if (!sameBytes(directory.subarray(at, at + own.length), own)) {
      throw new Contradiction(name + " is compressed, encrypted, out of place, or has fields it must not have");
    }
    entry.data = place + 30 + name.length;
    if (entry.data + entry.size > start) throw new Contradiction(name + " reaches beyond the place of contents");
    if (!sameBytes(await read(place, entry.data), localHeader(entry))) {
      throw new Contradiction(name + ": its local header differs from the directory");
    }
    entries.set(name, entry);
    at += own.length;
    place = entry.data + entry.size;
    before = name;
  }
  if (at !== length || place !== start) throw new Contradiction("data stand between the members and the directory");
  return entries;
}
