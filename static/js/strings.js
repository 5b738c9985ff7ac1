/** Every word that the scripts of the page say. */

/** @param {number} n */
const count = (n) => n.toLocaleString("en");

export const SAY = {
  photoAlone: "The photo you chose.",
  photoAlt: (/** @type {string} */ alt) => `The photo you chose. Glassbot’s alt text for it: ${alt}`,
  undrawn: "This browser cannot draw pictures of this kind. Glassbot can read it all the same.",
  squareOnly: "This browser cannot draw pictures of this kind: this is the square that Glassbot looked at.",
  firstOf: (/** @type {number} */ n) => `This is the first of the ${n} files; one is looked at at a time.`,
  by: (/** @type {string} */ name, /** @type {string} */ version) => `Said by Glassbot; its network is ${name}, version ${version}.`,
  notSaved: "The browser would not draw the picture.",
  copied: "Copied.",
  copyButton: "Copy alt text",
  notCopied: (/** @type {string} */ alt) => `The browser would not copy it. The alt text is: ${alt}`,

  stages: { open: "Opening the photo", send: "Sending it", look: "Looking at it" },
  sent: (/** @type {number} */ share) => `Sending it, ${Math.round(100 * share)}%`,
  looking: "Let me look…",
  stillLooking: "Looking at it; the server takes longer than it should",

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
  railAll: "all",
  railLayers: (/** @type {number} */ n) => `${n} layers`,
  railPhoto: "photo",
  railEnd: "answers",
  shape: (/** @type {number[]} */ [c, h, w]) => (h === 1 ? [c] : [c, h, w]).join("\u200a×\u200a"), // hair spaces
  channel: (/** @type {number} */ i) => `Channel ${i + 1}`,
  channelOf: (/** @type {number} */ i, /** @type {number} */ n) => `Channel ${i + 1} of ${n}`,
  noPlace: (/** @type {string} */ layer) => `${layer}: no place left`,
  channelsOf: (/** @type {string} */ layer) => `Channels of ${layer}`,
  openLayer: (/** @type {string} */ layer, /** @type {number} */ n) => `${layer}, ${count(n)} drawings: open it`,
  allLayers: (/** @type {number} */ maps, /** @type {number} */ units) =>
    `Every drawing of every layer: ${count(maps)} channels, then ${count(units)} units, which have no place any more. ` +
    "Choose one to enlarge it.",
  oneLayer: (/** @type {string} */ layer, /** @type {number[]} */ [c, h, w], /** @type {number} */ silent) =>
    h === 1
      ? `All ${count(c)} units of ${layer}, 64 to a row; ${count(c - silent)} answer to this photo. ` +
        "Their order means nothing: place was lost at fc6."
      : `${c} channels of ${layer}, ${h} × ${w} numbers each.` +
        (silent ? ` ${silent} of them ${silent === 1 ? "is" : "are"} silent on this photo.` : ""),
  unknownUse: "Which channels speak for a label is known for conv5 and pool5; the others stand as in the network.",
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
  kernels: (/** @type {number} */ from, /** @type {number} */ n) => `Kernels ${from + 1} to ${from + n}`,

  verdicts: /** @type {Record<string, string>} */ ({
    right: "You said: right",
    "sort of": "You said: sort of",
    wrong: "You said: wrong",
  }),
  tally: (/** @type {number} */ right, /** @type {number} */ sort, /** @type {number} */ wrong) =>
    `By your count: ${right} right, ${sort} sort of, ${wrong} wrong.`,
  notInLink: "A photo of your own is in no address: show it again to see this.",

  askingForCamera: "Asking for the camera…",
  noCamera: "There is no picture from a camera",
  cameraRefused: "It was not allowed. The browser’s settings for this page can allow it.",
  cameraMissing: "None was found, or another program is using it.",
  cameraGone: "The camera has stopped",
  cameraGoneWhy: "It was unplugged, or something else took it.",
  frameName: "camera.jpg",
  rate: (/** @type {number} */ rate, /** @type {number} */ took) =>
    `${rate < 1 ? rate.toFixed(1) : Math.round(rate)} a second; this answer took ${Math.round(took)} ms.`,
  old: (/** @type {number} */ s) => `What you read is ${Math.round(s)} s old.`,
  lensBusy: "The server is busy: fewer pictures a second.",
  lensTries: "Trying on.",

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
