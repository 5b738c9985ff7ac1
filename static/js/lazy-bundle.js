/** All that is needed only once there is an answer; fetched after the page itself, which does not wait for it. */

import * as address from "./address.js";
import * as aloud from "./aloud.js";
import * as classMap from "./class-map.js";
import * as exporter from "./export.js";
import * as layers from "./layers.js";
import { listen as listenForNetwork } from "./network/lazy.js";
import { listen as listenForPlay } from "./play/lazy.js";

export { parse } from "./activations.js";
export { classMap, exporter, layers };

aloud.listen();
exporter.listen();
layers.listen((layer) => address.turn({ layer }));
classMap.listen((method) => address.turn({ method }));
listenForNetwork();
listenForPlay();
