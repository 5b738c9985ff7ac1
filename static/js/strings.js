/** Every word that the scripts of the page say. */

/** @param {number} n */
const count = (n) => n.toLocaleString("en");

export const SAY = {
  photoAlone: "The photo you chose.",
  photoAlt: (/** @type {string} */ alt) => `The photo you chose. Glassbot’s alt text for it: ${alt}`,
  undrawn: "This browser cannot draw pictures of this kind. Glassbot can read it all the same.",
  copied: "Copied.",
  copyButton: "Copy alt text",
  notCopied: (/** @type {string} */ alt) => `The browser would not copy it. The alt text is: ${alt}`,

  stages: { open: "Opening the photo", send: "Sending it", look: "Looking at it" },
  sent: (/** @type {number} */ share) => `Sending it, ${Math.round(100 * share)}%`,
  looking: "Let me look…",

  kinds: /** @type {Record<string, string>} */ ({ object: "thing", scene: "place", word: "word" }),
  percent: (/** @type {number} */ p) => (p < 0.005 ? "<1%" : p > 0.995 ? ">99%" : `${Math.round(100 * p)}%`),
  noSum: "Things and places are asked about separately, so these need not add up to 100%.",
  sumHint: "Each button chooses what the map shows.",
  inFive: (/** @type {number} */ n) => `${n || "<1"} in 5`,
  peopleWouldSay: "Of five people asked to describe this photo, how many would use the word.",
  noWords: "No word stands out in this photo.",
  right: (/** @type {number} */ n) => `When I put it like this, I’m right about ${n} times in 10.`,
  unmeasured: ["How often I’m right when I put it like this has ", "not been measured yet", "."],
  noPromise: "With this answer comes no promise.",

  drawingMap: (/** @type {string} */ name) => `Drawing the map for “${name}”…`,
  map: (/** @type {string} */ name) => `Yellow marks where the evidence for “${name}” lay. It does not show why.`,
  noEvidence: (/** @type {string} */ name) => `Nothing in this photo speaks for “${name}”: its map is empty.`,
  noMap: (/** @type {string} */ why) => `There is no map this time. ${why}`,

  drawingLayers: "Drawing what every layer saw…",
  noLayers: (/** @type {string} */ why) => `What the layers saw did not arrive. ${why}`,
  railPhoto: "photo",
  railEnd: "answers",
  shape: (/** @type {number[]} */ [c, h, w]) => (h === 1 ? [c] : [c, h, w]).join("\u2009×\u2009"), // thin spaces
  channel: (/** @type {number} */ i) => `Channel ${i + 1}`,
  channelOf: (/** @type {number} */ i, /** @type {number} */ n) => `Channel ${i + 1} of ${n}`,
  noPlace: (/** @type {string} */ layer) => `${layer}: no place left`,
  channelsOf: (/** @type {string} */ layer) => `Channels of ${layer}`,
  units: (/** @type {string} */ layer, /** @type {number} */ n, /** @type {number} */ on) =>
    `All ${count(n)} units of ${layer}, 64 to a row; ${count(on)} answer to this photo. Their order means nothing: place was lost at fc6.`,
  tiles: (/** @type {string} */ layer, /** @type {number[]} */ [c, h, w], /** @type {number} */ silent) =>
    `${c} channels of ${layer}, ${h} × ${w} numbers each.` +
    (silent ? ` ${silent} of them ${silent === 1 ? "is" : "are"} silent on this photo.` : ""),
  sheet: (/** @type {string} */ layer) => `Activations of ${layer}`,
  seesAll: "Every unit sees the whole square.",
  sees: (/** @type {number} */ field, /** @type {number} */ input) =>
    field > input
      ? `One cell sees ${field} × ${field}: all but an edge.`
      : `One cell sees ${field} × ${field} of the square’s ${input} × ${input} pixels.`,
  cell: (/** @type {number} */ y, /** @type {number} */ x, /** @type {number} */ value, /** @type {number} */ top) =>
    `Row ${y + 1}, column ${x + 1}: ${value.toFixed(2)}. Strongest anywhere in this layer: ${top.toFixed(2)}.`,
  flat: (/** @type {number} */ top) => `Strongest in this layer: ${top.toFixed(2)}.`,
  kernel: (/** @type {number} */ i) => `Kernel ${i + 1}: open its channel`,
  kernels: (/** @type {number} */ from) => `Kernels ${from + 1} to ${from + 48}`,

  tryAgain: "Try again",
  kept: "Your photo is still here.",
  busy: "Too many people are asking at once.",
  busyFor: (/** @type {number} */ s) => `The server asks for ${s === 1 ? "a second" : `${s} seconds`}. ${SAY.kept}`,
  gone: "The server does not answer.",
  goneWhy: "It may be restarting, or the connection is down.",
  strange: "The answer could not be understood.",
  needsKey: "Type the key that you were given into the field below, then choose the photo again.",
  tooLarge: "The file is too large",
  tooLargeWhy: (/** @type {string} */ mb) => `Pictures of up to ${mb} MB are read here.`,
  unreadable: "The file cannot be read",
  unreadableWhy: "It may be a folder, or it was moved since you chose it.",
  noFile: "There was no picture in that",
  noFileWhy: "Drop or paste the file of a photo itself: not a link, and not text.",
  remembered: "remembered from before",
  took: (/** @type {number} */ ms) => (ms < 1 ? "under 1 ms" : `${Math.round(ms)} ms`),
};
