package contract

import (
	"image"
	"math"
	"time"

	"mekiki/embed/decode"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/query"
)

// Fusion names the way in which the two retrieval legs become one ranking.
type Fusion string

// The ways of fusing.
const (
	// FusionConvex adds all evidence as the scoring model weighs it, or, where a
	// request gives a weight, both legs on fixed scales; the default.
	FusionConvex Fusion = "convex"
	// FusionReciprocalRank adds 1/(60+rank) of both legs.
	FusionReciprocalRank Fusion = "rrf"
)

// Sort names the order of hits.
type Sort string

// The orders. A date order keeps relevance as a filter: it shows the hits that
// relevance would show, by the date they were taken (or else modified).
const (
	SortRelevance      Sort = "relevance"
	SortDateDescending Sort = "date_descending"
	SortDateAscending  Sort = "date_ascending"
)

// ListOrder is the order of a list by date.
func (s Sort) ListOrder() index.Order {
	if s == SortDateAscending {
		return index.OrderDateAscending
	}
	return index.OrderDateDescending
}

// Show says down to which verdict hits are shown.
type Show string

// What is shown. ShowWeak is the default: strong and weak hits.
const (
	ShowStrong Show = "strong"
	ShowWeak   Show = "weak"
	ShowAll    Show = "all"
)

// Rectangle is a part of a picture, as fractions of its upright width and
// height: 0 is the left or top edge, 1 the right or bottom one.
type Rectangle struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Request is one question. Text, Image and Record may be combined: words with
// a picture mean "like this, and answering these words". At most one of Image
// and Record may be set, unless there is no Crop; several pictures mean
// "like all of these".
type Request struct {
	// Text is in the query language; see docs/query-language.md.
	Text string
	// Image is a picture to look for. The Searcher does not change it.
	Image *pixels.Image
	// Record is an image of the library to look for; zero means none.
	Record index.ID
	// Records are further images of the library to look for, and Images further
	// pictures; at most MaximumPictures in all.
	Records []index.ID
	Images  []*pixels.Image
	// Crop restricts Image or Record to a part of it.
	Crop *Rectangle
	// Language is the base language that the words of Text are in, such as "ja"; "" detects it. Words in another language than
	// English are translated where a translator is installed.
	Language string
	// Filter narrows the library, in addition to the filters in Text.
	Filter index.Filter

	// Limit is the number of hits on a page, 1 to 1000; 0 means 20.
	Limit int
	// Offset is the number of hits to skip; Cursor takes precedence.
	Offset int
	// Cursor continues an earlier answer: its Next. The rest of the request
	// must be the same.
	Cursor string

	// Fusion is the way of fusing; "" means convex.
	Fusion Fusion
	// Weight is the share of the ITC leg in fusion, 0 to 1; nil leaves it to the
	// scoring model. 1 is vectors alone, 0 words alone.
	Weight *float64
	// RerankBudget is how long ITM may take: 0 means the default (one
	// second), negative means no reranking.
	RerankBudget time.Duration
	// RerankCount is how many candidates ITM may read: 0 means 128.
	RerankCount int
	// Sort is the order; "" means by relevance.
	Sort Sort
	// Show says down to which verdict hits are shown; "" means weak.
	Show Show
	// MinimumProbability hides hits below it, 0 to 1, in addition to Show.
	MinimumProbability float64

	// Asks are questions to the best hits, in addition to those in Text.
	Asks []Ask
	// AskCount is how many of the best are asked: 0 means 20.
	AskCount int
	// AskBudget is how long that may take: 0 means ten seconds.
	AskBudget time.Duration
	// AskTemplate is the prompt, with "{}" where a question goes; "" means the model's own.
	AskTemplate string
	// AskDecode says how answers are written.
	AskDecode decode.Options
	// Explain asks for an Explanation in each hit, and Highlight for its Highlights.
	Explain, Highlight bool
}

// Asking reports whether a request has questions to its hits, so that it needs a second stage. A text
// that cannot be read has none.
func (r Request) Asking() bool {
	parsed, err := query.Parse(r.Text, query.Options{})
	return len(r.Asks) > 0 || err == nil && len(parsed.Asks) > 0
}

// Pixels gives the rectangle in pixels, at least one wide and high.
func (r Rectangle) Pixels(width, height int) image.Rectangle {
	edges := func(from, length float64, size int) (int, int) {
		low := min(int(math.Floor(from*float64(size))), size-1)
		high := min(int(math.Ceil((from+length)*float64(size)-1e-6)), size)
		return low, max(high, low+1)
	}
	left, right := edges(r.X, r.Width, width)
	top, bottom := edges(r.Y, r.Height, height)
	return image.Rect(left, top, right, bottom)
}
