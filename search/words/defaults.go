package words

// What a word counts, by where it stands.
const (
	// namedFolders is how many folders above a file count as its name. What stands
	// higher says less about one picture, the less the higher it is, since it holds more
	// of a library: a word of it counts as a part of a word, by folderFall less for each
	// folder above, and at least leastFolder.
	namedFolders = 2
	folderFall   = 0.1
	leastFolder  = 0.6

	// generationWorth is what a word counts that somebody gave a program to make the
	// picture from: it tells what was wanted, not what came.
	generationWorth = 0.8

	// ocrWorth is what a word counts that stands in the picture itself; where there are more than pageLines lines, it is
	// the picture of a page, which has many words by chance, and pageWorth.
	ocrWorth  = 0.8
	pageLines = 20
	pageWorth = 0.2
)
