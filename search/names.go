package search

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"mekiki/index"
)

// namedFolders is how many folders above a file count as its name. Higher ones
// hold too much of a library to say anything about one picture.
const namedFolders = 2

// nameProbability is what it is worth that all words of a clause stand in a
// record's names and metadata; with only a share of the words it falls with
// the cube, so that half of them are not even a weak answer.
const nameProbability = 0.97

// nameOdds gives the log-odds that a clause is answered by names.
func nameOdds(coverage float64) float64 {
	return logOdds(nameProbability * coverage * coverage * coverage)
}

// nameWords collects the words that people gave a record: file and folder
// names, title, description, keywords, tags, camera, lens and place. Captions
// are not among them: the model wrote those, and ITM is the better judge.
func nameWords(record *index.Record) map[string]bool {
	words := map[string]bool{}
	add := func(text string) {
		for _, word := range splitWords(text) {
			words[stem(word)] = true
		}
	}
	for _, path := range record.Paths() {
		name := filepath.Base(path)
		add(name)
		add(strings.TrimSuffix(name, filepath.Ext(name)))
		folder := filepath.Dir(path)
		for range namedFolders {
			add(filepath.Base(folder))
			folder = filepath.Dir(folder)
		}
	}
	metadata := &record.Metadata
	for _, text := range []string{metadata.Title, metadata.Description, metadata.Camera, metadata.Lens, metadata.Place, metadata.Creator, record.ExternalID} {
		add(text)
	}
	for _, text := range metadata.Keywords {
		add(text)
	}
	for _, text := range record.Tags {
		add(text)
	}
	for _, text := range record.Fields {
		add(text)
	}
	if record.Kind == index.KindText {
		add(record.Text)
	}
	return words
}

// findWords finds which candidates the query's words name, and how much of
// them the captions say. Only what the keyword leg found can have any.
func (r *retrieval) findWords() {
	p := r.plan
	words := make([][]string, len(p.clauses)+len(p.unwanted))
	for i, clause := range slices.Concat(p.clauses, p.unwanted) {
		words[i] = clauseWords(clause)
	}
	none, unknown := make([]float64, len(words)), slices.Repeat([]float64{math.NaN()}, len(words))
	for _, c := range r.candidates {
		switch {
		case !p.usesWords() || len(c.record.Captions) == 0:
			c.captions = unknown
		case !c.hasKeyword && len(p.unwanted) == 0:
			c.captions = none
		default:
			c.captions = captionShares(c.record, words)
		}
		if c.hasKeyword {
			c.findNames(words[:len(p.clauses)])
		}
	}
}

// findNames finds what shares of the clauses' words are names of a candidate.
func (c *candidate) findNames(words [][]string) {
	names := nameWords(c.record)
	c.coverages = make([]float64, len(words))
	c.named = len(words) > 0
	for i := range words {
		c.coverages[i] = coverage(words[i], names)
		c.named = c.named && c.coverages[i] == 1
	}
}

// captionShares gives, for each clause, the share of its words in that caption
// of a record that has the most of them.
func captionShares(record *index.Record, words [][]string) []float64 {
	shares := make([]float64, len(words))
	for _, caption := range record.Captions {
		said := map[string]bool{}
		for _, word := range splitWords(caption.Text) {
			said[stem(word)] = true
		}
		for i := range words {
			shares[i] = max(shares[i], coverage(words[i], said))
		}
	}
	return shares
}

// ContentWords counts the words of a text that are more than grammar, each
// once.
func ContentWords(text string) int { return len(clauseWords(text)) }

// clauseWords gives the words of a clause that could name something.
func clauseWords(clause string) []string {
	var words []string
	seen := map[string]bool{}
	for _, word := range splitWords(clause) {
		stemmed := stem(word)
		if !isFiller(word) && !seen[stemmed] {
			seen[stemmed] = true
			words = append(words, stemmed)
		}
	}
	return words
}

// coverage is the share of words found among names, 0 to 1.
func coverage(words []string, names map[string]bool) float64 {
	if len(words) == 0 {
		return 0
	}
	found := 0
	for _, word := range words {
		if names[word] {
			found++
		}
	}
	return float64(found) / float64(len(words))
}

// splitWords cuts text at everything that is neither letter nor digit and
// lowers its case. Text without spaces, as in Chinese and Japanese, is cut into
// pairs of characters, as the keyword index does.
func splitWords(text string) []string {
	var words []string
	for _, run := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
	}) {
		words = appendRun(words, []rune(run))
	}
	return words
}

func appendRun(words []string, run []rune) []string {
	for start := 0; start < len(run); {
		end := start + 1
		for end < len(run) && ideographic(run[end]) == ideographic(run[start]) {
			end++
		}
		if !ideographic(run[start]) || end-start == 1 {
			words = append(words, string(run[start:end]))
		} else {
			for i := start; i+1 < end; i++ {
				words = append(words, string(run[i:i+2]))
			}
		}
		start = end
	}
	return words
}

func ideographic(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r == 'ー'
}

// stem takes the plural off an English word, and makes one word of those that
// mean two; the keyword index stems further, but a name has to be named.
func stem(word string) string {
	switch {
	case word == "couple" || word == "pair" || word == "pairs":
		return "two"
	case len(word) > 4 && strings.HasSuffix(word, "ies"):
		return word[:len(word)-3] + "y"
	case len(word) > 4 && (strings.HasSuffix(word, "ches") || strings.HasSuffix(word, "shes") || strings.HasSuffix(word, "xes") || strings.HasSuffix(word, "sses")):
		return word[:len(word)-2]
	case len(word) > 3 && strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && !strings.HasSuffix(word, "us") && !strings.HasSuffix(word, "is"):
		return word[:len(word)-1]
	}
	return word
}

// isFiller reports whether a word names nothing: English function words, and
// words that every picture's path could have.
func isFiller(word string) bool {
	switch word {
	case "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "have", "in", "into", "is", "it",
		"its", "no", "not", "of", "on", "or", "over", "that", "the", "their", "there", "these", "this", "to", "under",
		"was", "were", "with",
		"photo", "photos", "picture", "pictures", "image", "images", "img", "file", "files", "folder", "home", "user",
		"users", "desktop", "documents", "downloads", "dcim",
		"jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff", "heic":
		return true
	}
	return false
}
