/** Every word about what people taught that See says. */

/** @param {number} n */
const photos = (n) => `${n} ${n === 1 ? "photo" : "photos"}`;

export const SAY = {
  using: (/** @type {string[]} */ names) => `Using your own things: ${names.join(", ")}. `,
  notUsing: "Your own things are not used here. ",
  turnOff: "Turn off",
  turnOn: "Use them",
  change: "Change",
  add: (/** @type {string} */ name) => `Add this photo to “${name}”`,
  adding: (/** @type {string} */ name) => `Adding this photo to “${name}”…`,
  added: (/** @type {string} */ name, /** @type {number} */ n) => `Added to ${name}: ${photos(n)}. `,
  tooFew: (/** @type {string} */ name, /** @type {number} */ n, /** @type {number} */ missing) =>
    `“${name}” has ${photos(n)} now. ${missing} more, and Glassbot answers with it: `,
  more: "give it more photos",
  look: "Look at your own things",
  teachIt: (/** @type {string} */ name) => `Teach it “${name}”`,
  lookAgain: "Look again",
  notAdded: (/** @type {string} */ why) => `It was not added. ${why} `,
};
