"""From picture bytes to what the network says of them: decoding, admission, batching, the engine."""
