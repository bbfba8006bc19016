package trie

// MaximumBytes is how many bytes the strings of a trie may have together.
const MaximumBytes = 1<<24 - 1
