/** Numbers of 16 bits, as the network's embeddings are kept and sent. */

const view = new DataView(new ArrayBuffer(4));

/**
 * The float16 that is nearest to a number; of two equally near ones the even one.
 * @param {number} value
 * @returns {number} its 16 bits
 */
export function half(value) {
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent >= 31) return sign | 0x7c00 | (exponent === 143 && fraction ? 0x200 : 0);
  if (exponent < -10) return sign;
  return sign + (exponent > 0 ? rounded((exponent << 23) | fraction, 13) : rounded(fraction | 0x800000, 14 - exponent));
}

/** @param {number} bits @param {number} away how many of the last bits go */
function rounded(bits, away) {
  const kept = bits >>> away;
  const rest = bits & ((1 << away) - 1);
  const middle = 1 << (away - 1);
  return kept + Number(rest > middle || (rest === middle && kept % 2 === 1));
}

/** Whether 16 bits are a number that one can count with. @param {number} bits */
export const isFinite16 = (bits) => (bits & 0x7c00) !== 0x7c00;

/** @param {number[]} values @returns {Uint16Array<ArrayBuffer>} */
export const halves = (values) => Uint16Array.from(values, half);
