"""Words: the reviewed tables, what a network may claim, and how a claim is said."""
