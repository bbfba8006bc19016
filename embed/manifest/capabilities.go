package manifest

import (
	"fmt"
	"slices"
	"strings"

	"mekiki/embed/modelconfig"
)

// Capabilities says what a model can do.
type Capabilities struct {
	// EmbedImages and EmbedTexts make unit vectors of one space.
	EmbedImages bool `json:"embed_images"`
	EmbedTexts  bool `json:"embed_texts"`
	// Match judges whether an image and a text belong together.
	Match bool `json:"match"`
	// Caption describes an image in words.
	Caption bool `json:"caption"`
	// Answer goes on with a text about an image: questions, captions, dialogues.
	Answer bool `json:"answer"`
	// Translate puts a text into another language.
	Translate bool `json:"translate,omitempty"`
}

// String lists the capabilities.
func (c Capabilities) String() string {
	var list []string
	for _, one := range []struct {
		has  bool
		name string
	}{{c.EmbedImages, "embed images"}, {c.EmbedTexts, "embed texts"}, {c.Match, "match"}, {c.Caption, "caption"}, {c.Answer, "answer"}, {c.Translate, "translate"}} {
		if one.has {
			list = append(list, one.name)
		}
	}
	return strings.Join(list, ", ")
}

// The graphs behind each capability. Matching and captions also read the image
// tokens that VisionFile gives.
var (
	imageGraphs   = []string{VisionFile, ImagePartsFile}
	textGraphs    = []string{TextFile}
	matchGraphs   = []string{MatchFile, MatchImageFile, MatchTextFile}
	captionGraphs = []string{CaptionStartFile, CaptionStepFile}
	// translateGraphs are all that a model that translates has.
	translateGraphs = []string{LanguageEncodeFile, LanguageStepFile, EmbeddingsFile}
	answerGraphs    = []string{ImageStatesFile, LanguageInputFile, LanguageStepFile, EmbeddingsFile}
)

// Capabilities says what the model can do, by the graphs that it has.
func (m Manifest) Capabilities() Capabilities {
	if m.Config.Translates() {
		return Capabilities{Translate: m.has(translateGraphs)}
	}
	return Capabilities{
		EmbedImages: m.has(imageGraphs), EmbedTexts: m.has(textGraphs), Match: m.has(matchGraphs), Caption: m.has(captionGraphs),
		Answer: m.Config.Language != nil && m.has(m.answerGraphs()),
	}
}

// has reports whether all of files are listed.
func (m Manifest) has(files []string) bool {
	return !slices.ContainsFunc(files, func(name string) bool { return !m.lists(name) })
}

func (m Manifest) lists(name string) bool {
	return slices.ContainsFunc(m.Files, func(file File) bool { return file.Name == name })
}

// missingFiles reports graphs that the model must have: those that embed or, of a
// second stage, those that answer, and all of a capability of which it has some.
func (m Manifest) missingFiles() []error {
	type group struct {
		files    []string
		required bool
	}
	groups := []group{{imageGraphs, true}, {textGraphs, true}, {matchGraphs, false}, {captionGraphs, m.HasCaptionHead}}
	switch {
	case m.Config.Translates():
		groups = []group{{translateGraphs, true}}
	case m.Config.Language != nil:
		groups = []group{{m.answerGraphs(), true}}
	}
	var problems []error
	for _, graphs := range groups {
		if !graphs.required && !slices.ContainsFunc(graphs.files, m.lists) {
			continue
		}
		for _, name := range graphs.files {
			if !m.lists(name) {
				problems = append(problems, fmt.Errorf("file %s is not listed", name))
			}
		}
	}
	return problems
}

// answerGraphs are the files behind answers. A vision encoder may be among the others.
func (m Manifest) answerGraphs() []string {
	if m.Config.Language != nil && m.Config.Language.Architecture == modelconfig.T5 {
		return append(slices.Clip(answerGraphs), LanguageEncodeFile)
	}
	return answerGraphs
}

// HasVision reports whether the folder has a vision encoder, which a second stage may lack.
func (m Manifest) HasVision() bool { return m.lists(VisionFile) }
