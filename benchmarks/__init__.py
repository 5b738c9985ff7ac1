"""Speed, measured side by side in one run; ratios are quoted, absolute times belong to the machine."""
