package words

import (
	"path/filepath"
	"strings"

	"mekiki/index"
)

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
// lens, place, what a program made the picture from, and the words in the picture. Captions are not among them: the model wrote those.
func eachName(record *index.Record, visit func(text string, worth float64)) {
	for _, file := range record.Files {
		eachFileName(file, visit)
	}
	metadata := &record.Metadata
	for _, text := range [...]string{
		metadata.Title, record.Description(), metadata.Camera, metadata.Lens, metadata.Place, metadata.Creator, record.ExternalID,
	} {
		visit(text, 1)
	}
	visit(wantedOf(metadata.Generation), generationWorth)
	for _, text := range metadata.Keywords {
		visit(text, 1)
	}
	for _, text := range record.People() {
		visit(text, 1)
	}
	for _, text := range record.Tags {
		visit(text, 1)
	}
	for _, text := range record.Fields {
		visit(text, 1)
	}
	worth := ocrWorth
	if record.OCR != nil && len(record.OCR.Lines) > pageLines {
		worth = pageWorth
	}
	for _, text := range record.OCR.Texts() {
		visit(text, worth)
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
