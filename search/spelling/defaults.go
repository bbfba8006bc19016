package spelling

const (
	// leastLetters is how many letters a word has that may be mistyped; the library's words for it decide by how much.
	leastLetters = 4
	// maximumLooked is how many words of a query are looked up.
	maximumLooked = 8
)
