package search

import (
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/scoring"
)

// LookupRequest asks which texts describe a picture. Exactly one of Image and
// Record is set.
type LookupRequest struct {
	// Image is the picture. The Searcher does not change it.
	Image *pixels.Image
	// Record is an image of the library.
	Record index.ID
	// Crop restricts the picture to a part of it.
	Crop *Rectangle
	// Labels, when there are any, are the only texts considered; at most
	// 10,000. Otherwise the texts and captions of the library are.
	Labels []string
	// Template wraps each label for the model, with {} in the label's place,
	// such as "a photo of {}"; "" means the label as it is.
	Template string
	// Sources limits the library's texts to the user's own (TextSourceRecord)
	// or to captions (TextSourceCaption); empty means both.
	Sources []TextSource
	// Filter narrows the library's texts.
	Filter index.Filter
	// Limit is the number of texts, 1 to 1000; 0 means 10.
	Limit int
	// RerankBudget and RerankCount bound ITM as in Request.
	RerankBudget time.Duration
	RerankCount  int
	// Show says down to which verdict texts are shown; "" means weak, and for
	// labels all.
	Show Show
}

// LookupResponse is the texts that describe a picture, best first.
type LookupResponse struct {
	// Texts are in order; never nil.
	Texts []TextHit `json:"texts"`
	// Total counts the texts that would be shown without a limit.
	Total int `json:"total"`
	// Hidden counts the candidates judged below what is shown.
	Hidden int `json:"hidden"`
	// Verdict is that of the best text.
	Verdict scoring.Verdict `json:"verdict"`
	// Reranked counts the texts that ITM has read, of RerankPlanned.
	Reranked      int      `json:"reranked"`
	RerankPlanned int      `json:"rerank_planned"`
	Timings       Timings  `json:"timings"`
	Warnings      []string `json:"warnings,omitempty"`
}

// TextSource says where a text comes from.
type TextSource string

// The sources.
const (
	TextSourceRecord  TextSource = "text"
	TextSourceCaption TextSource = "caption"
	TextSourceLabel   TextSource = "label"
)

// TextHit is one text that describes the picture.
type TextHit struct {
	Rank int    `json:"rank"`
	Text string `json:"text"`
	// Source says where the text comes from.
	Source TextSource `json:"source"`
	// ID is the text record, or the image whose caption this is; zero, and
	// left out of the JSON, for a label.
	ID index.ID `json:"id,omitempty,string"`
	// ExternalID and Fields are what the user's own list said.
	ExternalID string            `json:"external_id,omitempty"`
	Fields     map[string]string `json:"fields,omitempty"`
	// Score is the ITM logit plus ITC (the published rule) where ITM has read the
	// text, else ITC. What ITM has read stands first, by the odds of Probability.
	Score float64 `json:"score"`
	// Probability is the calibrated chance that the text describes the picture.
	Probability float64 `json:"probability"`
	// Share is the text's part among all labels given, summing to 1; nil
	// where no labels were given.
	Share   *float64        `json:"share,omitempty"`
	Verdict scoring.Verdict `json:"verdict"`
	Basis   Basis           `json:"basis"`
	// ITC is the cosine; ITM the raw logit, nil when ITM has not read it.
	ITC float64  `json:"itc"`
	ITM *float64 `json:"itm,omitempty"`
}

// DuplicateLevel says what counts as a duplicate.
type DuplicateLevel string

// The levels, from strict to loose.
const (
	// DuplicateBytes: the same file contents at several paths.
	DuplicateBytes DuplicateLevel = "bytes"
	// DuplicatePicture: the same picture, scaled or recompressed, by
	// perceptual hash.
	DuplicatePicture DuplicateLevel = "picture"
	// DuplicateScene: another shot of the same scene, by ITC.
	DuplicateScene DuplicateLevel = "scene"
)

// DuplicatesRequest asks for groups of duplicates.
type DuplicatesRequest struct {
	Level DuplicateLevel
	// Filter narrows the images considered.
	Filter index.Filter
	// Distance is the largest number of differing bits of the perceptual
	// hash, 0 to 16; nil means 6.
	Distance *int
	// Similarity is the least cosine for the same scene, 0 to 1; 0 means 0.95.
	Similarity float64
	// Limit is the number of groups, 1 to 1000; 0 means 100. Offset skips some.
	Limit, Offset int
}

// DuplicatesResponse is the groups, the largest first.
type DuplicatesResponse struct {
	Level  DuplicateLevel   `json:"level"`
	Groups []DuplicateGroup `json:"groups"`
	// Total counts the groups of all pages.
	Total int `json:"total"`
	// Examined counts the images compared.
	Examined int `json:"examined"`
	// Next is the offset of the following page; 0 at the end.
	Next     int      `json:"next,omitempty"`
	Timings  Timings  `json:"timings"`
	Warnings []string `json:"warnings,omitempty"`
}

// DuplicateGroup is images that are the same at one level. The first is the
// one to keep: the largest picture, then the oldest record.
type DuplicateGroup struct {
	Members []DuplicateMember `json:"members"`
	// ReclaimableBytes is what deleting all but the first would free.
	ReclaimableBytes int64 `json:"reclaimable_bytes"`
}

// DuplicateMember is one image of a group, or one path of it.
type DuplicateMember struct {
	ID   index.ID `json:"id,string"`
	Path string   `json:"path"`
	// Name is what an uploaded file was called where it came from; else "".
	Name   string `json:"name,omitempty"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int64  `json:"bytes"`
	// Distance is the number of differing hash bits to the first member.
	Distance int `json:"distance"`
	// Similarity is the likeness to the first member, 0 to 1: the mean largest
	// cosine for a scene, the share of equal hash bits for a picture.
	Similarity float64 `json:"similarity"`
	// Record is what the library knows of it. The caller must not change it.
	Record *index.Record `json:"-"`
}
