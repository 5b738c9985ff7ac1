/** The lessons: every demonstration is an element of its own. */

import { Connected } from "./connected.js";
import { Contents } from "./contents.js";
import { Conv1 } from "./conv1.js";
import { Curves } from "./curves.js";
import { Depth } from "./depth.js";
import { Descent } from "./descent.js";
import { Dropout } from "./dropout.js";
import { Field } from "./field.js";
import { Guess } from "./guess.js";
import { KernelWalk } from "./kernel.js";
import { ResponseNorm } from "./lrn.js";
import { Overview } from "./overview.js";
import { Pixels } from "./pixels.js";
import { Pool } from "./pooling.js";
import { Strip } from "./strip.js";
import { LayerTable } from "./table.js";

const ELEMENTS = {
  contents: Contents,
  guess: Guess,
  pixels: Pixels,
  strip: Strip,
  kernel: KernelWalk,
  depth: Depth,
  conv1: Conv1,
  overview: Overview,
  curves: Curves,
  lrn: ResponseNorm,
  pool: Pool,
  dropout: Dropout,
  descent: Descent,
  field: Field,
  table: LayerTable,
  connected: Connected,
};

for (const [name, element] of Object.entries(ELEMENTS)) customElements.define(`learn-${name}`, element);
document.documentElement.dataset.ready = "";
