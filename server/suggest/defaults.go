package suggest

import "time"

const (
	// maxCaptions bounds the captions that are remembered for suggestions, and so their memory; maxPhrases does it for
	// phrases.
	maxCaptions = 200_000
	maxPhrases  = 400_000
	// longestCaption is the length in bytes of the longest caption that is looked at.
	longestCaption = 200
	// longestPhrase is the number of words of the longest phrase, and mostContent that of its words which are more
	// than grammar.
	longestPhrase = 5
	mostContent   = 3
	// shortestWord is the number of letters of the shortest word.
	shortestWord = 3
	// maxScanned bounds what one request looks at.
	maxScanned = 5_000
	// pieceShare is how often a phrase has to go on with another word for it to be a piece of a longer one.
	pieceShare = 0.7
)

// Making what a large library suggests takes long (a million captions 3.5 s), and
// while it is indexed there is a new state every second. What took quickMaking or
// longer is therefore made again only after keptMakings times as long.
const (
	quickMaking = 250 * time.Millisecond
	keptMakings = 20
)

// How many letters may be wrong: none in words shorter than leastOneWrong, two in words from leastTwoWrong letters on.
const (
	leastOneWrong = 4
	leastTwoWrong = 7
	// longestLookup is how many letters a word has at most that is looked up.
	longestLookup = 40
)

// fewFound is how many completions of the phrase are enough for the last word not to be completed by itself.
const fewFound = 2
