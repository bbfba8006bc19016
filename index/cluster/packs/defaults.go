package packs

// Bounds of a pack: of its bytes, which are in memory twice while it is written, of its pieces, and of names.
const (
	maximumPack   = 32 << 20
	maximumPieces = 1 << 16
	maximumName   = 512
)

// headRead is how much of a pack is read to find its table: one block of an object.
const headRead = 64 << 10

// Pieces of a pack that lie closer together than mergeGap are read at once, up to mergedMaximum bytes.
const (
	mergeGap      = 64 << 10
	mergedMaximum = 4 << 20
)

// readsAtOnce is how many ranges one call reads at a time; it bounds the memory beside what is given.
const readsAtOnce = 16

// tableBytes bounds the tables that a reader keeps.
const tableBytes = 32 << 20

// placeBytes is about what a place takes in memory beside its name.
const placeBytes = 64
