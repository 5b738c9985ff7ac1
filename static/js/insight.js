/** All that is needed only once there is an answer; fetched after the page itself, which does not wait for it. */

import * as address from "./address.js";
import * as keep from "./keep.js";
import * as layers from "./layers.js";
import * as map from "./map.js";

export { parse } from "./activations.js";
export { keep, layers, map };

keep.listen();
layers.listen((layer) => address.turn({ layer }));
map.listen((method) => address.turn({ method }));
