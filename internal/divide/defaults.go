package divide

// undivided is how many items are ordered rather than divided. Those that were divided so often that their middles must have been
// guessed badly are ordered, too: of a million, some twenty divisions leave few.
const undivided, mostDivisions = 32, 64
