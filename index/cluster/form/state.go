package form

import (
	"fmt"
	"slices"
	"time"

	"mekiki/embed"
	"mekiki/index"
)

// Version is the version of the objects in the store.
const Version = 1

// State is what all processes agree on: one object, which changes by compare and swap.
type State struct {
	Version int `json:"version"`
	// Collection is the engine's collection that is read and written, and Filling one that
	// is written too, because it is to take its place.
	Collection string `json:"collection"`
	Filling    string `json:"filling,omitempty"`
	// Generation is the number of the last collection that was made.
	Generation int     `json:"generation"`
	Spaces     []Space `json:"spaces"`
	// Serving and Previous are numbers of spaces; zero is none. LastSpace was the last one
	// given.
	Serving   int `json:"serving"`
	Previous  int `json:"previous"`
	LastSpace int `json:"last_space"`
	// NextBlock is the next block of IDs that nobody has taken.
	NextBlock uint64 `json:"next_block"`
}

// Space is one vector space.
type Space struct {
	Number      int       `json:"number"`
	Fingerprint string    `json:"fingerprint"`
	Parts       int       `json:"parts"`
	Width       int       `json:"width"`
	Added       time.Time `json:"added"`
}

// Embed is the space as package embed has it.
func (s Space) Embed() embed.Space {
	return embed.Space{Fingerprint: s.Fingerprint, Parts: s.Parts, Width: s.Width}
}

// Representatives is how many vectors an object of the engine has of a space, at most.
const Representatives = 4

// Vectors are the names of the space's vectors in the engine. An object has the first of
// them, as many as stand for its record.
func (s Space) Vectors() []string {
	names := make([]string, Representatives)
	for i := range names {
		names[i] = fmt.Sprintf("s%dv%d", s.Number, i+1)
	}
	return names
}

// Of finds a space.
func (s *State) Of(space embed.Space) (Space, bool) {
	at := slices.IndexFunc(s.Spaces, func(one Space) bool { return one.Embed() == space })
	if at < 0 {
		return Space{}, false
	}
	return s.Spaces[at], true
}

// Numbered finds a space by its number.
func (s *State) Numbered(number int) (Space, bool) {
	at := slices.IndexFunc(s.Spaces, func(one Space) bool { return one.Number == number })
	if at < 0 {
		return Space{}, false
	}
	return s.Spaces[at], true
}

// Collections are those that are written.
func (s *State) Collections() []string {
	if s.Filling == "" {
		return []string{s.Collection}
	}
	return []string{s.Collection, s.Filling}
}

// Failure is a file that could not be indexed, as its object has it.
type Failure struct {
	index.Failure
	Path rawText
	Name rawText
}

// FailureOf gives the form of a failure.
func FailureOf(f index.Failure) Failure {
	return Failure{f, rawText(f.File.Path), rawText(f.File.Name)}
}

// Value gives the failure.
func (f Failure) Value() index.Failure {
	f.File.Path, f.File.Name = string(f.Path), string(f.Name)
	return f.Failure
}

// Claim is the object that says which record has a content; zero for none, any more.
type Claim struct {
	ID index.ID `json:"id"`
}
