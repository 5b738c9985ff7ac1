"""The Open Inference Protocol, version 2, as KServe and Triton speak it: its bodies, and its form of an error."""
