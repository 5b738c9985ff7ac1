/** Every word that the scripts of the page say. */

/** @param {number} n */
const count = (n) => n.toLocaleString("en");

export const SAY = {
  photoAlone: "The photo you chose.",
  photoAlt: (/** @type {string} */ alt) => `The photo you chose. Glassbot’s alt text for it: ${alt}`,
  undrawn: "This browser can’t show this kind of file. Glassbot can still read it.",
  cannotMove: "This browser can’t draw this kind of file, so the square can’t be moved.",
  cannotCover: "This browser can’t draw this kind of file, so it can’t be cut or painted here.",
  squareOnly: "This browser can’t show this kind of file: this is the square that Glassbot looked at.",
  firstOf: (/** @type {number} */ n) => `Of these ${n} files only the first one is used.`,
  by: (/** @type {string} */ name, /** @type {string} */ version) =>
    `Made with Glassbot (${name}, model version ${version}).`,
  notSaved: "Your browser couldn’t make the picture.",
  copied: "Copied.",
  copyButton: "Copy alt text",
  notCopied: (/** @type {string} */ alt) => `Your browser couldn’t copy it. The alt text is: ${alt}`,

  sharedByCopy: "Copied: paste it where you want it.",
  notShared: (/** @type {string} */ text) => `Your browser couldn’t copy it. Here it is: ${text}`,
  notInLink: "Links can’t include your own photo: save the picture to send it along.",
  readAloud: "Read aloud",
  stopReading: "Stop reading",
  wordsOf: (/** @type {string[]} */ words) => `What people would say: ${words.join(", ")}.`,
  mapBy: /** @type {Record<string, string>} */ ({
    gradcam: "Made with Grad-CAM.",
    hirescam: "Made with HiResCAM.",
    layercam: "Made with LayerCAM.",
  }),

  stages: { open: "Opening the photo", send: "Sending it", look: "Looking at it" },
  sent: (/** @type {number} */ share) => `Sending it, ${Math.round(100 * share)}%`,
  looking: "Let me look…",
  slow: (/** @type {string} */ stage) => `${stage}; this takes longer than it should`,

  vocabularies: /** @type {Record<string, string>} */ ({
    object: "thing",
    scene: "place",
    word: "word",
    taught: "yours",
  }),
  percent: (/** @type {number} */ p) => (p < 0.005 ? "<1%" : p > 0.995 ? ">99%" : `${Math.round(100 * p)}%`),
  groups: /** @type {Record<string, string>} */ ({ object: "Things", scene: "Places", taught: "Your own things" }),
  noneOfOwn: (/** @type {number} */ p) => `None of your own things: ${SAY.percent(p)}`,
  noneOf: (/** @type {number | undefined} */ n, /** @type {string} */ group, /** @type {number} */ p) =>
    `None of the ${n ? `${count(n)} ` : ""}${group.toLowerCase()} it knows: ${SAY.percent(p)}`,
  noSum:
    "Things and places are asked about apart: each list adds up to 100% with the labels that are not shown. " +
    "Each button chooses what the map shows.",
  sumHint: "Each button chooses what the map shows.",
  inFive: (/** @type {number} */ n) => `${n || "<1"} in 5`,
  peopleWouldSay: "Of five people asked to describe this photo, how many would use the word.",
  noWords: "No word stands out in this photo.",
  right: (/** @type {number} */ n, /** @type {boolean} */ maybe) =>
    `On photos like those I was tested on, I’m right about ${n} times in 10 when I put it like this${maybe ? ", the “maybe” left out" : ""}.`,
  thisOne: (/** @type {number} */ p) => ` That counts all such sentences; this one alone I give ${SAY.percent(p)}.`,
  part: (/** @type {string} */ name, /** @type {number} */ p) => `${name} ${SAY.percent(p)}`,
  others: "others",
  joins: { sum: " + ", any: " or " },
  allOfIt: "all of it",
  derived: (/** @type {string} */ phrase, /** @type {number} */ p) => `${phrase}, ${SAY.percent(p)}`,
  saidFrom: (/** @type {number} */ least) => `; I say it like this from ${SAY.percent(least)} on.`,
  added: (/** @type {string} */ parts) => ` The “maybe” counts apart: ${parts}.`,
  tooLittle: (/** @type {number | null} */ least) =>
    least === null ? "too little." : `too little: I speak from ${SAY.percent(least)} on.`,
  blank: "but the picture is all one colour.",
  unmeasured: ["How often I’m right when I put it like this has ", "not been measured yet", "."],
  unknownReliability: "I can’t say how often I’m right here.",

  drawingMap: (/** @type {string} */ name) => `Drawing the map for “${name}”…`,
  map: (/** @type {string} */ name) => `Yellow marks where the evidence for “${name}” lay. It does not show why.`,
  noEvidence: (/** @type {string} */ name) => `No evidence for “${name}” in this photo: its map is empty.`,
  noMap: (/** @type {string} */ why) => `There is no map this time. ${why}`,

  drawingLayers: "Drawing the layers…",
  noLayers: (/** @type {string} */ why) => `The layers did not arrive. ${why}`,
  pickerAll: "all",
  pickerLayers: (/** @type {number} */ n) => `${n} layers`,
  pickerPhoto: "photo",
  pickerEnd: "fc8",
  pickerAnswers: "answers",
  shape: (/** @type {number[]} */ [c, h, w]) => (h === 1 ? [c] : [c, h, w]).join("\u200a×\u200a"), // hair spaces
  channel: (/** @type {number} */ i) => `Channel ${i + 1}`,
  channelOf: (/** @type {number} */ i, /** @type {number} */ n) => `Channel ${i + 1} of ${n}`,
  noPosition: (/** @type {string} */ layer) => `${layer}: no position in the photo`,
  channelsOf: (/** @type {string} */ layer) => `Channels of ${layer}`,
  openLayer: (/** @type {string} */ layer, /** @type {number} */ n) => `${layer}, ${count(n)} channels: open it`,
  allLayers: (/** @type {number} */ maps, /** @type {number} */ units) =>
    `Every layer: ${count(maps)} channels, then ${count(units)} units; these no longer have a position in the photo. ` +
    "Choose one to enlarge it.",
  oneLayer: (/** @type {string} */ layer, /** @type {number[]} */ [c, h, w], /** @type {number} */ silent) =>
    h === 1
      ? `All ${count(c)} units of ${layer}, 64 to a row; ${count(c - silent)} are active on this photo. ` +
        "Their order means nothing: they no longer have a position in the photo."
      : `${c} channels of ${layer}, ${h} × ${w} numbers each.` +
        (silent ? ` ${silent} of them ${silent === 1 ? "is" : "are"} inactive on this photo.` : ""),
  unknownRelevance: (/** @type {string[]} */ layers) =>
    layers.length
      ? `How important a channel is for a label is known only for ${layers.join(" and ")}; the others keep the network’s order.`
      : "How important a channel is for a label is not known yet.",
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
  notKept: "This photo is no longer kept here: choose it again to see it.",

  askingForCamera: "Asking for the camera…",
  noCamera: "There is no picture from the camera",
  cameraRefused: "It was not allowed. You can allow it in the browser’s settings for this page.",
  cameraMissing: "No camera was found, or another program is using it.",
  cameraGone: "The camera has stopped",
  cameraGoneWhy: "It was unplugged, or another program is using it.",
  frameName: "camera.jpg",
  rate: (/** @type {number} */ rate, /** @type {number} */ took) =>
    `${rate < 1 ? rate.toFixed(1) : Math.round(rate)} a second; this answer took ${Math.round(took)} ms.`,
  lensMaps: (/** @type {string} */ layer, /** @type {number} */ n, /** @type {number} */ of) =>
    `${layer}, live: the ${n} strongest of its ${of} channels.`,
  old: (/** @type {number} */ s) => `Last updated ${Math.round(s)} s ago.`,
  lensBusy: "The server is busy: fewer pictures a second.",
  lensTries: "Still trying…",

  tryAgain: "Try again",
  photoStillHere: "Your photo is still here.",
  busy: "Too many people are asking at once.",
  busyFor: (/** @type {number} */ s) =>
    `Please try again in ${s === 1 ? "a second" : `${s} seconds`}. ${SAY.photoStillHere}`,
  gone: "The server does not answer.",
  goneWhy: "It may be restarting, or the connection is down.",
  strange: "The answer could not be understood.",
  needsKey: "Type the key that you were given into the field below, then choose the photo again.",
  tooLarge: "The file is too large",
  tooLargeWhy: (/** @type {string} */ mb) => `Photos of up to ${mb} MB can be opened here.`,
  unreadable: "The file cannot be read",
  unreadableWhy: "It may be a folder, or it was moved since you chose it.",
  noFile: "There was no photo in that",
  noFileWhy: "Drop or paste the file of a photo itself: not a link, and not text.",
  remembered: "remembered from before",
  took: (/** @type {number} */ ms) => (ms < 1 ? "under 1 ms" : `${Math.round(ms)} ms`),
};
