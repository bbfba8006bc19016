package sandbox

// maximumModule bounds a module when it is decompressed, in bytes.
const maximumModule = 16 << 20

// pageSize is the unit of WebAssembly memory, in bytes.
const pageSize = 1 << 16

// firstMemory is what an instance has at most before it has all that it may, in
// bytes. Small pictures need no more.
const firstMemory = 8 << 20

// turnsPerBreak is how many turns of loops run between two breaks, some
// milliseconds' worth.
const turnsPerBreak = 1 << 18
