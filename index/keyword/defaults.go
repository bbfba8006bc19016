package keyword

import "time"

const (
	// batchSize is the number of documents that bleve indexes at once.
	batchSize = 500
	// persistTimeout bounds the wait for bleve to write everything when the index is
	// closed. The next opening catches up with what was not written then.
	persistTimeout = 30 * time.Second
	// checkEvery is the number of matches between two looks at the context.
	checkEvery = 1024
	// fragmentLength is about how many bytes of a value a fragment shows.
	fragmentLength = 160
	// leastOneEdit and leastTwoEdits are how many letters a word has that may have been meant as one that differs by a letter,
	// or by two; longestSpelled is the most.
	leastOneEdit, leastTwoEdits, longestSpelled = 4, 8, 32
	// readSpellings is how many like terms are read of the dictionary of a field, and keptSpellings how many are given.
	readSpellings, keptSpellings = 256, 3
	// formsRead is in how many documents it is looked up how they write such a term.
	formsRead = 32
)

// weighted is a field with its weight, and the length in words that BM25 takes
// for its average. The lengths are fixed, since bleve's own averages count
// deleted documents until they are merged away: scores would depend on an
// index's history, and change when it is rebuilt.
type weighted struct {
	name   string
	weight float64
	length int
}

// splits reports whether the field's values are names, cut into words.
func (w weighted) splits() bool { return w.name == fieldName || w.name == fieldFolder }

// wordFields gives the fields that words are searched in, in a fixed order: what people
// wrote counts more than what was generated, and names and numbers least.
func wordFields() []weighted {
	return []weighted{
		{fieldCaption, 1, 6}, {fieldTitle, 1.5, 4}, {fieldDescription, 1, 12}, {fieldText, 1, 12}, {fieldLabel, 1.5, 4},
		{fieldName, 0.7, 5}, {fieldPlace, 1, 3}, {fieldCamera, 0.5, 4}, {fieldValue, 0.7, 4},
		{fieldPerson, 1.5, 3}, {fieldFolder, 0.35, 6}, {FieldOCR, 0.7, 12},
	}
}
