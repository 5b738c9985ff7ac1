/** Every word that playing with a photo says. */

/** @param {number} points */
const points = (points) => `${points} ${points === 1 ? "point" : "points"}`;

/** A signed number with a real minus. @param {number} value @param {number} [digits] */
export const signed = (value, digits = 1) =>
  `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`.replace(/^[−+](0\.?0*)$/, "$1");

export const SAY = {
  // The tools
  squareStage: "The square that Glassbot looks at. Arrow keys move it, plus and minus resize it, Escape ends.",
  coverStage: "The photo, to paint over. Arrow keys move a square brush, Enter or Space paints with it, Escape ends.",
  squareHint: "Drag the square or a corner. Keys: arrows, + and −.",
  coverHint: "Paint over what you want to hide. Keys: arrows, then Enter.",
  smaller: "Smaller square",
  larger: "Larger square",
  middle: "Back to the middle",
  brush: "Brush",
  brushes: { small: "small", medium: "medium", large: "large" },
  undo: "Undo",
  clear: "Clear",
  keep: "Use this square",
  done: "Done",
  fileName: "square.png",

  // What it says now
  live: "What it says now",
  same: "This is the square that it looked at first.",
  changed: "With a part covered. Arrows: against the square as it was.",
  moved: "The square where it is now. Arrows: against the square as it was.",
  asking: "Looking…",
  busy: "The server is busy. Trying again…",
  rise: (/** @type {number} */ by) => `▲ ${by}`,
  fall: (/** @type {number} */ by) => `▼ ${by}`,
  riseAloud: (/** @type {number} */ by) => `up ${points(by)}`,
  fallAloud: (/** @type {number} */ by) => `down ${points(by)}`,
  steady: "no change",
  said: (/** @type {string} */ sentence, /** @type {string} */ label, /** @type {string} */ share) =>
    `${sentence} Likeliest: ${label}, ${share}.`,

  // What is it really?
  field: "What does the photo show?",
  fieldHint: (/** @type {number} */ n) => `Type any word: it knows ${n} names of things, places and words.`,
  options: "Names that it knows",
  found: (/** @type {number} */ n) => `${n} ${n === 1 ? "name" : "names"} found; choose with the arrow keys.`,
  noName: (/** @type {string} */ text) => `It has no name for “${text}”`,
  nearest: "; the nearest it knows: ",
  nothingNear: ", and none that is spelled like it. For this photo it thought most of ",
  kindOf: (/** @type {string} */ kind) => `a kind of ${kind}`,
  comparing: (/** @type {string} */ name) => `Looking up “${name}”…`,
  failed: (/** @type {string} */ why) => `That could not be looked up. ${why}`,
  vocabularies: /** @type {Record<string, string>} */ ({
    object: "things",
    scene: "places",
    word: "words",
    taught: "names of your own",
  }),
  first: (/** @type {string} */ name, /** @type {number} */ of, /** @type {string} */ kind, /** @type {string} */ p) =>
    `“${name}” is what it holds likeliest of its ${of} ${kind}: ${p}.`,
  rank: (
    /** @type {string} */ name,
    /** @type {number} */ rank,
    /** @type {number} */ of,
    /** @type {string} */ kind,
    /** @type {string} */ p,
  ) => `“${name}” came ${ordinal(rank)} of its ${of} ${kind}: ${p}.`,
  evidence: (/** @type {string} */ name) => `Where the evidence for “${name}” lay, bright where there was most.`,
  against: (/** @type {string} */ winner, /** @type {string} */ loser) =>
    `Where it was decided: orange places spoke for “${winner}”, blue ones for “${loser}”.`,
  alone: (/** @type {string} */ word) => `Orange places spoke for “${word}”, blue ones against it.`,
  sum: (/** @type {string} */ winner, /** @type {string} */ loser, /** @type {number} */ lead) =>
    `“${winner}” beat “${loser}” by ${lead.toFixed(1)}:`,
  sumAlone: (/** @type {string} */ word, /** @type {number} */ lead) =>
    `All that speaks for “${word}” and against it adds up to ${signed(lead)}:`,
  plus: (/** @type {number} */ sum) => `${signed(sum)} from the orange places`,
  minus: (/** @type {number} */ sum) => `${signed(sum)} from the blue places`,
  nowhere: (/** @type {number} */ sum) => `${signed(sum)} from no place, whatever the photo shows`,
  peak: (/** @type {string} */ name, /** @type {number} */ part) => `“${name}” got ${signed(part, 2)} from here.`,
  channels: (/** @type {string} */ layer) => `The patterns of ${layer} that decided most`,
  channel: (/** @type {number} */ channel, /** @type {string} */ name, /** @type {number} */ part) =>
    `Channel ${channel + 1}: ${signed(part)} for “${name}”`,
  units: "The units of fc7 that decided most",
  unitNote:
    "Each unit’s value times the difference of its two weights. All of them, and two constants, add up to the same.",
  unit: (/** @type {Rest.UnitPart} */ { unit, value, weight, part }) =>
    `unit ${unit + 1}: ${value.toFixed(2)} × ${signed(weight, 3)} = ${signed(part, 2)}`,
  onPhoto: "Show its map on the photo",

  // Occlusion
  drop: (/** @type {string} */ name, /** @type {number} */ most) =>
    `How much “${name}” drops when a patch is covered. Orange: it drops, by up to ${points(most)}. Blue: it rises.`,
  noDrop: (/** @type {string} */ name) => `Covering any one patch changes “${name}” by less than a point.`,
};

/** @param {number} n */
function ordinal(n) {
  const tail = n % 100 > 10 && n % 100 < 14 ? 0 : n % 10;
  return `${n}${["th", "st", "nd", "rd"][tail] ?? "th"}`;
}
