/** Writes a ZIP archive: the files as they are, without compression, since photos are packed already. */

/** @typedef {{ name: string, file: Blob, at: Date }} Entry name: with its folders; at: when it was made */

const UTF8 = 0x0800; // names are UTF-8
const MOST = 0xffff_ffff; // bytes that an archive without extensions can hold
const MOST_ENTRIES = 0xffff;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let rest = n;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/** The check sum that ZIP asks for. @param {Uint8Array} bytes @returns {number} 32 bits */
export function crc32(bytes) {
  let rest = 0xffff_ffff;
  for (const byte of bytes) rest = TABLE[(rest ^ byte) & 0xff] ^ (rest >>> 8);
  return (rest ^ 0xffff_ffff) >>> 0;
}

/**
 * @param {[bytes: 2 | 4, value: number][]} fields
 * @returns {Uint8Array<ArrayBuffer>} one after the other, the lowest byte first
 */
function packed(fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

/** Date and time as MS-DOS wrote them, to two seconds. @param {Date} at @returns {[time: number, date: number]} */
function dos(at) {
  const year = Math.min(2107, Math.max(1980, at.getFullYear()));
  const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
  return [time, ((year - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate()];
}

/**
 * @param {Entry[]} entries
 * @returns {Promise<Blob>} rejects with RangeError where it would be too large: 4 GB, or 65,535 files
 */
export async function zip(entries) {
  /** @type {BlobPart[]} */
  const local = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const central = [];
  let at = 0;
  for (const { name, file, at: made } of entries) {
    const path = new TextEncoder().encode(name);
    const [time, date] = dos(made);
    /** @type {[2 | 4, number][]} version to read it, flags, method, time, date, check sum, size packed and as it is, lengths */
    const common = [
      [2, 20],
      [2, UTF8],
      [2, 0],
      [2, time],
      [2, date],
      [4, crc32(new Uint8Array(await file.arrayBuffer()))],
    ];
    common.push([4, file.size], [4, file.size], [2, path.length], [2, 0]);
    const head = packed([[4, 0x04034b50], ...common]);
    local.push(head, path, file); // of each file only the check sum stays in memory
    central.push(packed([[4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), path);
    at += head.length + path.length + file.size;
  }
  const size = central.reduce((sum, part) => sum + part.length, 0);
  if (at + size > MOST || entries.length > MOST_ENTRIES) throw new RangeError("too large for one archive");
  const count = entries.length;
  const end = packed([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, size],
    [4, at],
    [2, 0],
  ]);
  return new Blob([...local, ...central, end], { type: "application/zip" });
}

/** What no system takes in a name. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are exactly what is to go
const UNFIT = /[\u0000-\u001f\u007f<>:"/\\|?*]/g;

/**
 * A name that every system takes, and that none of the others has.
 * @param {string} name
 * @param {Set<string>} taken in small letters; the name is added
 */
export function fileName(name, taken) {
  const fit =
    name
      .normalize("NFC")
      .replace(UNFIT, "_")
      .replace(/^[\s.]+|[\s.]+$/g, "") || "_";
  const dot = fit.lastIndexOf(".") > 0 ? fit.lastIndexOf(".") : fit.length;
  let free = fit;
  for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${fit.slice(0, dot)}-${n}${fit.slice(dot)}`;
  taken.add(free.toLowerCase());
  return free;
}
