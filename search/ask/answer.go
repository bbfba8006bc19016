package ask

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"mekiki/embed/answering"
	"mekiki/index"
	"mekiki/search/vqa"
)

// Answer is what a model says of one picture.
type Answer struct {
	// ID is the picture's record; 0 for a picture of no library.
	ID index.ID `json:"id,string"`
	// Text is the answer, without spaces around it; it may be empty.
	Text string `json:"answer"`
	// Normal is the form in which answers are counted and compared; see [Normal].
	Normal string `json:"normal"`
	// Probability is that of the text among all texts, 0 to 1.
	Probability float64 `json:"answer_probability"`
	// Tokens were written, the ending one counted where there is one.
	Tokens int `json:"tokens"`
	// Ended says that the model ended the text, and not the limit of its length.
	Ended bool `json:"ended"`
}

// Normal gives the form in which an answer is counted and compared: that of the VQA benchmark, or,
// of a text of articles and punctuation alone, the text in lower case.
func Normal(text string) string {
	return cmp.Or(vqa.Normalize(text), strings.ToLower(strings.TrimSpace(text)))
}

// answerOf presents what the model wrote.
func answerOf(generated []answering.Generated) Answer {
	if len(generated) == 0 {
		return Answer{}
	}
	best := generated[0]
	text := strings.TrimSpace(best.Text)
	probability := math.Exp(float64(best.LogProbability))
	if !(probability >= 0) {
		probability = 0
	}
	return Answer{Text: text, Normal: Normal(text), Probability: min(probability, 1), Tokens: best.Tokens, Ended: best.Ended}
}

// Count is how many pictures have an answer.
type Count struct {
	// Value is the answer in its normal form.
	Value string `json:"value"`
	Count int    `json:"count"`
}

// Counts counts answers by their normal form, the most frequent first.
func Counts(answers []Answer) []Count {
	counts := map[string]int{}
	for _, answer := range answers {
		counts[answer.Normal]++
	}
	list := make([]Count, 0, len(counts))
	for value, count := range counts {
		list = append(list, Count{Value: value, Count: count})
	}
	slices.SortFunc(list, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value)) })
	return list
}
