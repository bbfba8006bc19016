package evaluate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"mekiki/index/keyword"
	"mekiki/search"
)

// The sample of a self-calibration, the neighbours whose captions are read, and the least
// number of pictures that is worth a fit.
const (
	selfSample     = 400
	selfNeighbours = 24
	leastSelfFit   = 20
	// selfShownRight is the share of true texts that are shown, since nobody knows what
	// people will ask in vain.
	selfShownRight = 0.95
)

// SelfCalibration is a scoring model that was fitted on a library without labels.
type SelfCalibration struct {
	Calibration search.Calibration `json:"calibration"`
	// Images is how many pictures the library has; Fitted and HeldOut are those whose
	// captions were fitted to and those that Before and After are of.
	Images  int `json:"images"`
	Fitted  int `json:"fitted"`
	HeldOut int `json:"held_out"`
	// Before is of the calibration in use until now.
	Before SelfFit `json:"before"`
	After  SelfFit `json:"after"`
	// Seconds is what it took.
	Seconds float64 `json:"seconds"`
}

// SelfFit says how well a calibration tells the captions of pictures from those of their
// neighbours.
type SelfFit struct {
	// First is the percentage of pictures of which an own text is the most probable.
	First float64 `json:"first"`
	// LogLoss is the mean of -ln of the probability that was given to the truth, of each
	// picture's captions alike; less is better.
	LogLoss float64 `json:"log_loss"`
	// Strong is the precision and recall, in percent, of texts that are called strong.
	Strong PrecisionRecall `json:"strong"`
}

// captionPair is a picture with its own caption or one of a neighbour.
type captionPair struct {
	evidence search.Evidence
	own      bool
}

// SelfCalibrate fits the scoring model on a library without labels: a picture's caption is
// true of it, and so are its pieces, and the captions of its nearest neighbours are not,
// unless they say nothing else. Half of the sample is fitted to, and before and after are measured on the rest.
//
// What words are worth cannot be learned so, since a caption has all of its own words,
// nor what names are: these weights stay those of the calibration in use.
func SelfCalibrate(ctx context.Context, library Library, engine Engine, options CalibrateOptions) (SelfCalibration, error) {
	started := time.Now()
	options = options.withDefaults()
	if options.Sample == 0 {
		options.Sample = selfSample
	}
	before := search.DefaultCalibration()
	if options.Calibration != nil {
		before = *options.Calibration
	}
	e := &evaluation{engine: engine, options: options.Options, neutral: library, report: &Report{}}
	pictures, err := e.captionPairs(ctx)
	if err != nil {
		return SelfCalibration{}, err
	}
	var fitted, heldOut [][]captionPair
	for i, pairs := range pictures {
		if i%2 == 0 {
			fitted = append(fitted, pairs)
		} else {
			heldOut = append(heldOut, pairs)
		}
	}
	if len(heldOut) < leastSelfFit {
		return SelfCalibration{}, fmt.Errorf("%w: %d pictures have one that tells them from their neighbours, and %d are needed", ErrFewCaptions, len(pictures), 2*leastSelfFit)
	}
	calibration, err := fitPairs(before, fitted, options)
	if err != nil {
		return SelfCalibration{}, err
	}
	calibration.Images = e.report.Images
	return SelfCalibration{
		Calibration: calibration, Images: e.report.Images, Fitted: len(fitted), HeldOut: len(heldOut),
		Before: measureFit(before, heldOut), After: measureFit(calibration, heldOut), Seconds: roundTo(time.Since(started).Seconds(), 1),
	}, calibration.Validate()
}

// captionPairs has ITM read a sample of pictures with their own captions and those of
// their neighbours, and with pieces of both, for people ask in fewer words than captions
// have.
func (e *evaluation) captionPairs(ctx context.Context) ([][]captionPair, error) {
	questions, err := e.ownCaptions(ctx)
	if err != nil {
		return nil, err
	}
	b, err := e.bench(e.neutral, "read captions")
	if err != nil {
		return nil, err
	}
	var pictures [][]captionPair
	for number, question := range questions {
		near, err := b.searcher.Lookup(ctx, search.LookupRequest{
			Record: question.picture, Sources: []search.TextSource{search.TextSourceCaption}, Limit: selfNeighbours, Show: search.ShowAll, RerankBudget: -1,
		})
		if err != nil {
			return nil, fmt.Errorf("look up record %v: %w", question.picture, err)
		}
		own := append(piecesOf(question.text), question.text)
		texts := slices.Clone(own)
		for i, text := range near.Texts {
			texts = append(texts, text.Text)
			if pieces := piecesOf(text.Text); len(pieces) > 0 {
				texts = append(texts, pieces[i%len(pieces)])
			}
		}
		read, err := b.searcher.Lookup(ctx, search.LookupRequest{
			Record: question.picture, Labels: texts, Limit: len(texts), RerankBudget: unlimited, RerankCount: len(texts),
		})
		if err != nil {
			return nil, fmt.Errorf("look up record %v: %w", question.picture, err)
		}
		if pairs := pairsOf(question.text, own, read.Texts); slices.ContainsFunc(pairs, func(p captionPair) bool { return !p.own }) {
			pictures = append(pictures, pairs)
		}
		b.progress(number+1, len(questions))
	}
	return pictures, nil
}

// piecesOf cuts a caption at stop words and signs: "a red book, and two dogs" has the
// pieces "red book" and "two dogs". One piece that is nearly all of it is none.
func piecesOf(caption string) []string {
	var pieces []string
	var piece []string
	end := func() {
		if text := strings.Join(piece, " "); search.ContentWords(text) > 0 {
			pieces = append(pieces, text)
		}
		piece = nil
	}
	for _, word := range strings.Fields(caption) {
		if len(keyword.Terms(word)) == 0 {
			end()
			continue
		}
		piece = append(piece, strings.TrimRight(word, ",.;:"))
		if strings.ContainsAny(word, ",.;:") {
			end()
		}
	}
	end()
	if len(pieces) == 1 && search.ContentWords(pieces[0]) == search.ContentWords(caption) {
		return nil
	}
	return pieces
}

// pairsOf takes the own texts of a picture and those that say something else than its
// caption. What only says less of the same may be true as well, and is left out.
func pairsOf(caption string, own []string, texts []search.TextHit) []captionPair {
	said := keyword.Terms(caption)
	var pairs []captionPair
	for _, text := range texts {
		isOwn := slices.Contains(own, text.Text)
		saysElse := slices.ContainsFunc(keyword.Terms(text.Text), func(term string) bool { return !slices.Contains(said, term) })
		if text.ITM != nil && (isOwn || saysElse) {
			pairs = append(pairs, captionPair{search.Evidence{ITM: *text.ITM, ITC: text.ITC, ContentWords: search.ContentWords(text.Text)}, isOwn})
		}
	}
	return pairs
}

// fitPairs fits a calibration to pairs, and takes over from the one before what they do
// not show.
func fitPairs(before search.Calibration, pictures [][]captionPair, options CalibrateOptions) (search.Calibration, error) {
	calibration := search.Calibration{Version: search.CalibrationVersion, Name: before.Name, Library: libraryWeight}
	var examples []example
	for _, pairs := range pictures {
		for _, pair := range pairs {
			examples = append(examples, example{pair.evidence.Features(), pair.own, 1})
		}
	}
	if err := fitModel(&calibration, examples); err != nil {
		return search.Calibration{}, err
	}
	for _, feature := range []search.Feature{search.FeatureWords, search.FeatureAllWords, search.FeatureCaptioned} {
		calibration.Weights[feature], calibration.ExpectedITM[feature] = before.Weights[feature], before.ExpectedITM[feature]
	}
	chooseThresholds(&calibration, examples, nil, options)
	var right []float64
	for _, e := range examples {
		if e.right {
			right = append(right, probability(dot(calibration.Weights, e.features)))
		}
	}
	slices.Sort(right)
	calibration.Weak = min(roundTo(percentile(right, 1-selfShownRight), 4), calibration.Strong)
	return calibration, nil
}

// measureFit says how well a calibration does on pictures that it was not fitted to.
func measureFit(calibration search.Calibration, pictures [][]captionPair) SelfFit {
	var fit SelfFit
	right := 0
	for _, pairs := range pictures {
		own, other := math.Inf(-1), math.Inf(-1)
		for _, pair := range pairs {
			odds := calibration.Odds(pair.evidence)
			strong, wrong := probability(odds) >= calibration.Strong, odds
			if strong {
				fit.Strong.Hits++
			}
			if pair.own {
				own, wrong = max(own, odds), -odds
				fit.Strong.Right++
				if strong {
					right++
				}
			} else {
				other = max(other, odds)
			}
			fit.LogLoss += math.Log1p(math.Exp(min(wrong, 700))) / float64(len(pairs)*len(pictures))
		}
		if own > other {
			fit.First += 100 / float64(len(pictures))
		}
	}
	fit.Strong.fill(right)
	fit.First, fit.LogLoss = roundTo(fit.First, 1), roundTo(fit.LogLoss, 4)
	return fit
}
