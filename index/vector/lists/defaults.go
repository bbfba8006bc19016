package lists

// keptBytes is how many bytes of codes stay in memory once they were read: those of all lists of a million pictures.
const keptBytes = 320 << 20
