package spelling

const (
	// leastLetters is how many letters a word has that may be mistyped; the library's words for it decide by how much.
	leastLetters = 4
	// maximumLooked is how many words of a query are looked up to be read otherwise, and maximumProposed to be proposed otherwise.
	maximumLooked, maximumProposed = 8, 16
	// fewHits is how many hits are few, so that a query with a word that the library lacks may have been meant otherwise.
	fewHits = 3
)
