/** Every word that teaching says. */

/** @param {number} n @param {string} one @param {string} [many] */
const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** @param {number} share */
const percent = (share) => `${Math.round(100 * share)}%`;

/** @param {string[]} names */
const list = (names) => names.map((name) => `“${name}”`).join(", ");

export const SAY = {
  outside: "Photos of other things",
  outsideWhy:
    "Optional: rooms, tables, hands, whatever surrounds your things, so that those are not taken for them. Some are built in.",
  photos: (/** @type {number} */ n) => count(n, "photo"),
  files: (/** @type {number} */ n) => count(n, "further photo"),

  // Taking photos
  needsName: (/** @type {number} */ n) =>
    `${count(n, "photo")} ${n === 1 ? "waits" : "wait"} for a name: type it above, then press Enter.`,
  noName: "First type what it is called.",
  noPhotos: "Now give it photos: drop them here, choose them, or take them.",
  looking: (/** @type {number} */ done, /** @type {number} */ of) =>
    `Looking at photo ${Math.min(done + 1, of)} of ${of}…`,
  took: (/** @type {number} */ n, /** @type {string} */ name) =>
    n ? `${count(n, "photo")} added to ${SAY.called(name)}.` : `No photo was added to ${SAY.called(name)}.`,
  called: (/** @type {string} */ name) => (name ? `“${name}”` : "the photos of other things"),
  stopped: "Stopped. What was looked at so far is kept.",
  tooMany: (/** @type {number} */ most) => `A name holds at most ${most} photos.`,
  elsewhere: (/** @type {string} */ name) =>
    `The same photo is already among ${name ? `those of “${name}”` : "those of other things"}: it can stand for one only.`,
  already: "The same photo is there already.",
  tryAgain: "Try these again",
  addPast: (/** @type {number} */ n) => (n ? `Add ${count(n, "photo")}` : "Add them"),
  pastPhoto: (/** @type {string} */ text) => `Photo: ${text}`,

  // Cards
  missing: (/** @type {number} */ n) => `${count(n, "more photo")}, and it is learned.`,
  full: "It holds as many photos as it can.",
  heldBack: (/** @type {number} */ right, /** @type {number} */ tested) =>
    `${right} of ${tested} recognised when held back`,
  untested: "How well it is recognised is not known yet.",
  more: "Add photos",
  moreTo: (/** @type {string} */ name) => `Add photos to ${SAY.called(name)}`,
  rename: "Rename",
  renameThing: (/** @type {string} */ name) => `Rename “${name}”`,
  newName: "New name",
  save: "Save",
  cancel: "Cancel",
  nameTaken: (/** @type {string} */ name) => `There is “${name}” already.`,
  remove: "Remove",
  removeThing: (/** @type {string} */ name) => `Remove “${name}” and its photos`,
  removePhoto: (/** @type {number} */ i, /** @type {string} */ name) => `Remove photo ${i} of ${SAY.called(name)}`,
  photo: (/** @type {number} */ i, /** @type {string} */ name) => `Photo ${i} of ${SAY.called(name)}`,
  numbersOnly: (/** @type {number} */ n) => `${count(n, "photo is", "photos are")} here only as numbers, from a file.`,
  removed: (/** @type {string} */ name, /** @type {number} */ n) => `Removed “${name}” with ${count(n, "photo")}.`,
  removedOne: (/** @type {string} */ name) => `Removed a photo of ${SAY.called(name)}.`,
  renamed: (/** @type {string} */ before, /** @type {string} */ after) => `“${before}” is now “${after}”.`,
  lost: (/** @type {string[]} */ names) =>
    `This service has another network than the one that looked at some photos of ${list(names)}. Their files are not here, so they no longer count: give them again.`,
  renewing: "The service has another network now: all photos are looked at again.",

  // What it learned
  methods: /** @type {Record<string, string>} */ ({
    "nearest mean":
      "Each name is the middle of its photos, as 256 numbers each; a new photo gets the name whose middle is nearest.",
    ridge:
      "For each name it found the weights of 256 numbers that tell its photos from all others (ridge regression); a new photo gets the name that its numbers speak for most.",
  }),
  summary: (/** @type {number} */ names, /** @type {number} */ photos) =>
    `It learned ${count(names, "name")} from ${count(photos, "photo")}.`,
  outsideCalled: (/** @type {number} */ called, /** @type {number} */ of) =>
    called
      ? `Of ${count(of, "photo")} of other things, held back in the same way, it would call ${called} by one of your names.`
      : `Of ${count(of, "photo")} of other things, held back in the same way, it would call none by one of your names.`,
  tiers: /** @type {Record<string, string>} */ ({
    sure: "say so without doubt",
    think: "say “I think”",
    hedge: "say it with doubt",
  }),
  tier: (/** @type {string} */ say, /** @type {number} */ threshold, /** @type {number} */ right) =>
    `From ${percent(threshold)} on it may ${say}; on photos held back that was right about ${Math.round(10 * right)} times in 10.`,
  noTier:
    "It was not right often enough on photos held back, so its sentence does not use your names yet; the list of labels does. More photos, or photos that show more of the thing, help.",
  nothing: "Nothing is learned yet: a name needs 3 photos.",
  failed: (/** @type {string} */ why) => `That could not be learned. ${why}`,

  // Trying
  tryLooking: "Let me look…",
  tryAlt: "The photo that you tried.",
  onSee: "See",
  seeAll: "All of this answer, with its map and every layer, is under “What you showed it” on ",
  addTried: (/** @type {string} */ name) => `It is ${SAY.called(name)}: add it`,

  // Files
  fileName: "glassbot-things.safetensors",
  zipName: "glassbot-photos.zip",
  notExamples: "This is not a file of things that Glassbot learned.",
  otherTensors: "This file names photos that are not in it, or holds others.",
  taughtNothing: "This is a network that was taught nothing: open a file of things, or a network that was taught some.",
  cutShort: "This file is not whole: it was cut short, or something follows it.",
  otherShape: "The numbers of a photo in this file have another size than it says.",
  notFinite: "This file holds numbers that nobody can count with.",
  sameNameTwice: "This file has the same name twice.",
  samePhotoTwice: "This file has the same photo under two names, or twice.",
  otherNetwork: (/** @type {string} */ theirs, /** @type {string} */ ours) =>
    `This file belongs to another network (${theirs}; here it is ${ours}): only the photos themselves can be learned again.`,
  opened: (/** @type {number} */ photos, /** @type {number} */ names) =>
    photos
      ? `Opened: ${count(photos, "photo")} of ${count(names, "name")}, as numbers.`
      : "Everything in that file is here already.",
  openRefused: (/** @type {string} */ name, /** @type {number} */ n, /** @type {string} */ other) =>
    `${count(n, "photo")} of ${SAY.called(name)} ${n === 1 ? "is" : "are"} already among those of ${SAY.called(other)}.`,
  openTooMany: (/** @type {string} */ name, /** @type {number} */ n, /** @type {number} */ most) =>
    `${count(n, "photo")} of “${name}” ${n === 1 ? "was" : "were"} left out: a name holds at most ${most}.`,
  exported: (/** @type {number} */ n, /** @type {number} */ without) =>
    `${count(n, "photo")} saved${without ? `; ${count(without, "photo is", "photos are")} here only as numbers and not in it` : ""}.`,
  noFiles: "None of these photos is here as a file: they came as numbers.",
  tooLargeZip: "Together they are too large for one archive (4 GB).",
  reallyForget: (/** @type {number} */ names, /** @type {number} */ photos) =>
    `Forget ${count(names, "name")} and ${count(photos, "photo")}? Nothing brings them back, unless you saved the file.`,
  forgot: "Everything is forgotten.",
};
