package lookup

import (
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/scoring"
)

// Request asks which texts describe a picture. Exactly one of Image and
// Record is set.
type Request struct {
	// Image is the picture. The Searcher does not change it.
	Image *pixels.Image
	// Record is an image of the library.
	Record index.ID
	// Crop restricts the picture to a part of it.
	Crop *contract.Rectangle
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
	Show contract.Show
}

// Response is the texts that describe a picture, best first.
type Response struct {
	// Texts are in order; never nil.
	Texts []TextHit `json:"texts"`
	// Total counts the texts that would be shown without a limit.
	Total int `json:"total"`
	// Hidden counts the candidates judged below what is shown.
	Hidden int `json:"hidden"`
	// Verdict is that of the best text.
	Verdict scoring.Verdict `json:"verdict"`
	// Reranked counts the texts that ITM has read, of RerankPlanned.
	Reranked      int              `json:"reranked"`
	RerankPlanned int              `json:"rerank_planned"`
	Timings       contract.Timings `json:"timings"`
	Warnings      []string         `json:"warnings,omitempty"`
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
	Basis   contract.Basis  `json:"basis"`
	// ITC is the cosine; ITM the raw logit, nil when ITM has not read it.
	ITC float64  `json:"itc"`
	ITM *float64 `json:"itm,omitempty"`
}
