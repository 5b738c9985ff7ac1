/** The small network in the connected view: all that it shows is computed here, at once. */

import { find, onRadio } from "../dom.js";
import { styled } from "../network/style.js";
import { NetworkView } from "../network/view.js";
import { PALETTES } from "../palettes.js";
import * as sheet from "../sheet.js";
import { SAY } from "./strings.js";
import { connections, drawing, run, SIGNS } from "./tiny.js";
import { activations, cell } from "./tiny-cell.js";

/** @param {HTMLElement} root */
export async function begin(root) {
  await styled();
  const body = find(root, ".network-body");
  body.classList.remove("working");
  const view = new NetworkView(body);
  let pass = run(drawing("plus"));
  const show = (/** @type {number} */ label) => {
    const maps = activations(pass);
    view.show({
      connections: connections(pass, label),
      activations: maps,
      drawPhoto: (canvas) =>
        sheet.draw(canvas, maps.layers[0], { palette: PALETTES.cividis, scale: "channel" }, { order: [0], perRow: 1 }),
      photoName: SAY.drawing,
      captions: SAY.drawingCaptions,
      labels: SIGNS.map((name, i) => ({ id: name, vocabulary: "sign", name, score: pass.shares[i] })),
      sentence: SAY.drawingSays(SIGNS[likeliest(pass.shares)]),
      cell: async (at) => cell(pass, at),
      choose: ({ id }) => show(SIGNS.indexOf(id)),
    });
  };
  show(0);
  onRadio(find(root, "fieldset"), (sign) => {
    pass = run(drawing(/** @type {keyof typeof import("./tiny.js").DRAWINGS} */ (sign)));
    show(likeliest(pass.shares));
  });
}

/** @param {number[]} shares */
const likeliest = (shares) => shares.indexOf(Math.max(...shares));
