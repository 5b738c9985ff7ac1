/** Finds names among all that the network can answer: by name, by synonym, by kind, by what the name means. */

/**
 * @typedef {object} Name
 * @property {string} id
 * @property {string} name
 * @property {string} vocabulary
 * @property {string} gloss
 * @property {string[]} synonyms
 * @property {string[]} kinds
 */

const MOST = 12;

/** Accents and capitals do not matter. @param {string} text */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();

/** All names of a network. @param {Rest.ModelResponse} model @returns {Name[]} */
export const all = ({ vocabularies }) =>
  vocabularies.flatMap(({ name: vocabulary, labels }) => labels.map((label) => ({ ...label, vocabulary })));

/**
 * How well a name fits what was typed: 0 for not at all.
 * @param {Name} name
 * @param {string} wanted plain
 */
function fit({ name, synonyms, kinds, gloss }, wanted) {
  const own = plain(name);
  if (own === wanted) return 7;
  if (own.startsWith(wanted)) return 6;
  if (own.split(/\W+/).some((word) => word.startsWith(wanted))) return 5;
  if (synonyms.some((other) => plain(other).startsWith(wanted))) return 4;
  if (kinds.some((kind) => plain(kind) === wanted)) return 3;
  const words = plain(gloss).split(/\W+/);
  if (words.includes(wanted)) return 2;
  return wanted.length > 2 && words.some((word) => word.startsWith(wanted)) ? 1 : 0;
}

/** The names that fit what was typed, best first. @param {Name[]} names @param {string} text */
export function search(names, text) {
  const wanted = plain(text);
  if (!wanted) return [];
  const fits = names.map((name) => ({ name, fit: fit(name, wanted) })).filter(({ fit }) => fit > 0);
  fits.sort((a, b) => b.fit - a.fit || a.name.name.length - b.name.name.length);
  return fits.slice(0, MOST).map(({ name }) => name);
}

/** @param {string} text @returns {Set<string>} its runs of three letters */
function trigrams(text) {
  const padded = `  ${text} `;
  return new Set(Array.from({ length: padded.length - 2 }, (_, i) => padded.slice(i, i + 3)));
}

/**
 * The names that are spelled most like what was typed; none that share less than a third.
 * @param {Name[]} names
 * @param {string} text
 */
export function nearest(names, text) {
  const wanted = trigrams(plain(text));
  const alike = names.map((name) => {
    const shares = [name.name, ...name.synonyms].map((spelling) => {
      const own = trigrams(plain(spelling));
      return (2 * [...wanted].filter((three) => own.has(three)).length) / (own.size + wanted.size);
    });
    return { name, share: Math.max(...shares) };
  });
  const near = alike.filter(({ share }) => share > 1 / 3).sort((a, b) => b.share - a.share);
  return near.slice(0, 3).map(({ name }) => name);
}
