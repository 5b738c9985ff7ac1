/** All that is needed only once there is an answer; fetched with the first photo, so that the first page stays light. */

import * as layers from "./layers.js";
import * as map from "./map.js";

export { parse } from "./activations.js";
export { layers, map };

layers.listen();
map.listen();
