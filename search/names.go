package search

import (
	"math"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/index"
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
