package manifest

import (
	"errors"
	"fmt"
	"strings"

	"mekiki/embed/ort"
	"mekiki/embed/tokenize"
	"mekiki/internal/hint"
)

// FirstFamily is the family of models whose manifest names none: those compiled
// before there were several.
const FirstFamily = "blip2"

// ErrUnknownFamily means that no family of this program runs the model.
var ErrUnknownFamily = errors.New("the model is of an unknown family")

// Family is an architecture, as far as running its compiled models goes.
type Family struct {
	// Name is what manifests call it.
	Name string
	// Tokenizer makes the tokenizer of a model's Q-Former of files of its folder, which read gives.
	Tokenizer func(read func(name string) ([]byte, error)) (tokenize.Tokenizer, error)
	// Language makes the tokenizer of a second stage's language model of files of its folder; a file that is not there is
	// fs.ErrNotExist. It is nil for a family without second stages.
	Language func(read func(name string) ([]byte, error)) (tokenize.Language, error)
	// Describe says how a model is run.
	Describe func(Manifest) Description
	// Shares tells for every part of an int8 model which share of it is computed how.
	Shares func(Manifest) []Share
}

// Description is what running a model takes.
type Description struct {
	// Graphs are those of the model's capabilities.
	Graphs []Signature
	// MaximumTokens is the longest text that it reads, special tokens counted.
	MaximumTokens int
	// OneByOne says that a text's or a pair's numbers would depend on the others of its
	// batch.
	OneByOne bool
	// Map says how a model tells where it looks; nil where it does not match.
	Map *Map
	// Language says how the language model of a second stage is run; nil for a first stage.
	Language *Language
}

// Map is what telling where a model looks takes.
type Map struct {
	// Graph gives what the queries ask of an image, and the logits of each; see MapQueriesName.
	Graph Signature
	// Grid says how image tokens lie in the image.
	Grid Grid
	// Heads is into how many queries and keys are cut.
	Heads int
}

// Grid is the patches of an image, which are image tokens row after row from First on.
type Grid struct{ Rows, Columns, First int }

// Language is what running a language model takes beside its graphs.
type Language struct {
	// Positions is the longest sequence, the image's vectors counted; 0 means no bound.
	Positions int
	// EncoderBuckets are the buckets of relative positions of T5's encoder for a text of a length, [length length].
	EncoderBuckets func(length int) []int64
	// DecoderBuckets are those of its decoder for a run of a length after the positions before, [length before+length].
	// Both are nil where there are none.
	DecoderBuckets func(before, length int) []int64
}

// Signature is what a graph takes and gives.
type Signature struct {
	File string // the graph
	// From is the file that the graph is derived from by Derive, where it is not a file
	// itself: "" and nil where it is.
	From            string
	Derive          func(graph []byte) ([]byte, error)
	Data            string // its weights
	Inputs, Outputs []ort.Value
	Work            float64 // of one image or text, in multiply-adds, within a factor of two
}

// FamilyName is the name of the model's family.
func (m Manifest) FamilyName() string {
	if m.Family == "" {
		return FirstFamily
	}
	return m.Family
}

// FamilyOf finds the model's family among those of the program.
func (m Manifest) FamilyOf(families []Family) (Family, error) {
	name := m.FamilyName()
	var known []string
	for _, family := range families {
		if family.Name == name {
			return family, nil
		}
		known = append(known, family.Name)
	}
	return Family{}, hint.Wrap(fmt.Errorf("%w: %q; this program runs %s", ErrUnknownFamily, name, strings.Join(known, ", ")),
		"use a version of mekiki that knows it")
}
