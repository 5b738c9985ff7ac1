"""Language: reviewed tables of labels, what a network may claim, and the sentence that says it."""
