package charsmap

// maximumBytes bounds a table; nmt_nfkc's has 242 kB.
const maximumBytes = 4 << 20

// largestCluster is one more than the bytes of the largest grapheme cluster that is
// looked up as a whole, as in the tokenizers library.
const largestCluster = 6
