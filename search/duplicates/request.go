package duplicates

import (
	"mekiki/index"
	"mekiki/search/contract"
)

// Level says what counts as a duplicate.
type Level string

// The levels, from strict to loose.
const (
	// LevelBytes: the same file contents at several paths.
	LevelBytes Level = "bytes"
	// LevelPicture: the same picture, scaled or recompressed, by
	// perceptual hash.
	LevelPicture Level = "picture"
	// LevelScene: another shot of the same scene, by ITC.
	LevelScene Level = "scene"
)

// Request asks for groups of duplicates.
type Request struct {
	Level Level
	// Filter narrows the images considered.
	Filter index.Filter
	// Distance is the largest number of differing bits of the perceptual
	// hash, 0 to 16; nil means 6.
	Distance *int
	// Similarity is the least cosine for the same scene, 0 to 1; 0 means 0.95.
	Similarity float64
	// Limit is the number of groups, 1 to 1000; 0 means 100. Offset skips some.
	Limit, Offset int
	// Cursor, which is that of a response, goes on behind its groups, whatever has come or gone meanwhile; it takes the
	// place of Offset.
	Cursor string
}

// Response is the groups, the largest first.
type Response struct {
	Level  Level   `json:"level"`
	Groups []Group `json:"groups"`
	// Total counts the groups of all pages.
	Total int `json:"total"`
	// Examined counts the images compared.
	Examined int `json:"examined"`
	// ReclaimableBytes is what deleting all but the best of every group would free.
	ReclaimableBytes int64 `json:"reclaimable_bytes"`
	// Pending counts the images that were not compared for the same scene yet: see [Kept.Compare].
	Pending int `json:"pending"`
	// Job is the one that compares them, where a server runs one.
	Job string `json:"job,omitempty"`
	// Next is the offset of the following page; 0 at the end.
	Next int `json:"next,omitempty"`
	// Cursor is that of the following page; "" at the end.
	Cursor   string           `json:"cursor,omitempty"`
	Timings  contract.Timings `json:"timings"`
	Warnings []string         `json:"warnings,omitempty"`
}
