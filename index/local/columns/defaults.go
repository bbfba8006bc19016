package columns

// keptFilters is the number of filters whose records are remembered: the legs of a
// search, its pages, those of a list and what is asked after them mostly have the same one.
const keptFilters = 8

// maximumKey is the length of the longest filter that is remembered.
const maximumKey = 4096

// longestCut is how far down a list a page may reach for the rest to be let go of.
const longestCut = 1 << 28

// fewNamed is how many records a filter names at most for a list to look at them one by one.
const fewNamed = 256

// pagesAtOnce is how many pages a goroutine looks through before it takes the next ones: about 50 µs, and 16,384 records, which
// one goroutine looks through where there are no more.
const pagesAtOnce = 64
