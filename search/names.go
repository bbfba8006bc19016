package search

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/keyword"
)

// namedFolders is how many folders above a file count as its name. What stands
// higher says less about one picture, the less the higher it is, since it holds more
// of a library: a word of it counts as a part of a word, by folderFall less for each
// folder above, and at least leastFolder.
const (
	namedFolders = 2
	folderFall   = 0.1
	leastFolder  = 0.6
)

// generationWorth is what a word counts that somebody gave a program to make the
// picture from: it tells what was wanted, not what came.
const generationWorth = 0.8

// nameProbability is what it is worth that all words of a clause stand in a
// record's names and metadata; with only a share of the words it falls with
// the cube, so that half of them are not even a weak answer.
const nameProbability = 0.97

// nameOdds gives the log-odds that a clause is answered by names.
func nameOdds(coverage float64) float64 {
	return logOdds(nameProbability * coverage * coverage * coverage)
}

// eachFileName gives the names of a file and of the folders it is in, with what a
// word of them counts.
func eachFileName(file index.File, visit func(text string, worth float64)) {
	path := file.DisplayName()
	visit(filepath.Base(path), 1)
	folder := filepath.Dir(path)
	for range namedFolders {
		visit(filepath.Base(folder), 1)
		folder = filepath.Dir(folder)
	}
	worth := 1.0
	for i, name := range file.HigherFolders() {
		if i >= namedFolders-1 { // the first of them is a folder above the file's own
			worth = max(worth-folderFall, leastFolder)
			visit(name, worth)
		}
	}
}

// eachName gives the texts that people gave a record, with what a word of them
// counts: file and folder names, title, description, keywords, tags, people, camera,
// lens, place, and what a program made the picture from. Captions are not among them: the model wrote those.
func eachName(record *index.Record, visit func(text string, worth float64)) {
	for _, file := range record.Files {
		eachFileName(file, visit)
	}
	metadata := &record.Metadata
	for _, text := range [...]string{
		metadata.Title, metadata.Description, metadata.Camera, metadata.Lens, metadata.Place, metadata.Creator, record.ExternalID,
	} {
		visit(text, 1)
	}
	visit(wantedOf(metadata.Generation), generationWorth)
	for _, text := range metadata.Keywords {
		visit(text, 1)
	}
	for _, text := range metadata.People {
		visit(text, 1)
	}
	for _, text := range record.Tags {
		visit(text, 1)
	}
	for _, text := range record.Fields {
		visit(text, 1)
	}
	if record.Kind == index.KindText {
		visit(record.Text, 1)
	}
}

// wantedOf leaves out of a generator's settings what the picture should not show.
func wantedOf(generation string) string {
	before, after, found := strings.Cut(generation, "Negative prompt:")
	if !found {
		return generation
	}
	if at := strings.Index(after, "Steps:"); at >= 0 {
		return before + after[at:]
	}
	return before
}

// findWords finds which candidates the query's words name, and how much of
// them the captions say. Only what the keyword leg found can have any.
func (r *retrieval) findWords() {
	p := r.plan
	clauses := slices.Concat(p.clauses, p.unwanted)
	finder := newWordFinder(clauses)
	none, unknown := make([]float64, len(clauses)), slices.Repeat([]float64{math.NaN()}, len(clauses))
	for _, c := range r.candidates {
		switch {
		case !p.usesWords() || len(c.record.Captions) == 0:
			c.captions = unknown
		case !c.hasKeyword && len(p.unwanted) == 0:
			c.captions = none
		default:
			c.captions = finder.captionShares(c.record)
		}
		if c.hasKeyword {
			c.coverages = finder.nameShares(c.record, len(p.clauses))
			c.named = len(c.coverages) > 0 && slices.Min(c.coverages) >= leastFolder && finder.allFound(len(p.clauses))
		}
	}
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

// splitWords cuts text at everything that is neither letter nor digit and
// lowers its case and takes its accents off. Text without spaces, as in Chinese and Japanese, is cut into
// pairs of characters, as the keyword index does.
func splitWords(text string) []string {
	var words []string
	for _, run := range strings.FieldsFunc(keyword.Fold(text), func(r rune) bool {
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
		"users", "desktop", "documents", "downloads", "dcim":
		return true
	}
	return pixels.HasImageName("name." + word)
}
