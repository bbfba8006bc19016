package wordpiece

import "mekiki/embed/tokenize"

// Bounds on a vocabulary: BERT's has 30,522 tokens in 232 kB, the largest
// multilingual one 119,547 in 996 kB.
const (
	maximumVocabularyBytes  = 16 << 20
	maximumVocabularyTokens = tokenize.MaximumTokens
	maximumTokenBytes       = 1 << 10
)

// maximumWordLength is the longest word, in code points after normalisation,
// that is cut into pieces; a longer one becomes [UNK].
const maximumWordLength = 100
