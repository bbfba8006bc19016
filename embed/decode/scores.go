package decode

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// choice is a next token.
type choice struct {
	token          int64
	logProbability float64 // as the model gives it
	score          float64 // after repetition control
}

// distribution scores every next token of one hypothesis.
type distribution struct {
	logits   []float32 // as the model gives them
	adjusted []float32 // those of words, after repetition control; -Inf for what is forbidden
	// forbidden are words that are not chosen although adjusted has a value for them.
	forbidden []int64
	// likeliest are, where the method is Beam, the tokens that may follow, the likeliest first.
	likeliest []choice
	// logTotal is the logarithm of the sum of the exponentials of all logits; adjustedTotal is subtracted from what was
	// adjusted.
	logTotal, adjustedTotal float64
}

var errNotANumber = errors.New("the model gave a value that is not a number")

// score applies length and repetition control to the logits of the token after these.
func (r run) score(before, tokens []int64, logits []float32) (distribution, error) {
	d := distribution{logits: logits, adjusted: logits[:r.Words], logTotal: logSumExp(logits)}
	if math.IsNaN(d.logTotal) || math.IsInf(d.logTotal, 0) {
		return d, errNotANumber
	}
	d.adjustedTotal = d.logTotal
	probabilities := r.options.Method == Beam && !r.PenalizeLogits // are what is adjusted
	if !r.controls(len(tokens)) && (probabilities || r.Words == r.Vocabulary) {
		return d, nil
	}
	if r.onlyForbids(probabilities) {
		if forbidden, total, ok := r.forbid(before, tokens, d); ok {
			d.forbidden, d.adjustedTotal = forbidden, total
			return d, nil
		}
	}
	d.adjusted = slices.Clone(d.adjusted)
	if probabilities {
		for i := range d.adjusted {
			d.adjusted[i] -= float32(d.logTotal)
		}
		d.adjustedTotal = 0
	}
	r.control(d.adjusted, before, tokens)
	if !probabilities {
		d.adjustedTotal = logSumExp(d.adjusted)
	}
	if math.IsNaN(d.adjustedTotal) {
		return d, errNotANumber
	}
	return d, nil
}

// controls reports whether the options change the scores of the next token.
func (r run) controls(length int) bool {
	o := r.options
	return length < o.MinimumTokens || o.RepetitionPenalty != 1 || o.NoRepeat != 0 || (o.Method == Nucleus && o.Temperature != 1)
}

// onlyForbids reports whether what the options change is that some words are forbidden.
func (r run) onlyForbids(probabilities bool) bool {
	o := r.options
	return !probabilities && r.Words == r.Vocabulary && o.Method != Nucleus && o.RepetitionPenalty == 1
}

// forbid gives the forbidden words and the total of the others, which need not be summed again while the forbidden ones
// leave enough: it is false where they do not.
func (r run) forbid(before, tokens []int64, d distribution) (forbidden []int64, total float64, ok bool) {
	forbidden = repeats(append(slices.Clip(before), tokens...), r.options.NoRepeat)
	if len(tokens) < r.options.MinimumTokens {
		forbidden = append(forbidden, r.End...)
	}
	slices.Sort(forbidden)
	forbidden = slices.Compact(forbidden)
	taken := 0.0
	for _, token := range forbidden {
		if token >= 0 && token < int64(len(d.logits)) {
			taken += math.Exp(float64(d.logits[token]) - d.logTotal)
		}
	}
	return forbidden, d.logTotal + math.Log1p(-taken), taken < mostForbidden
}

// control applies the options to scores, in the order in which transformers does.
func (r run) control(scores []float32, before, tokens []int64) {
	written := append(slices.Clip(before), tokens...)
	if penalty := float32(r.options.RepetitionPenalty); penalty != 1 {
		for token := range used(written) {
			if token < 0 || token >= int64(len(scores)) {
				continue
			}
			if scores[token] > 0 {
				scores[token] /= penalty
			} else {
				scores[token] *= penalty
			}
		}
	}
	forbidden := repeats(written, r.options.NoRepeat)
	if len(tokens) < r.options.MinimumTokens {
		forbidden = append(forbidden, r.End...)
	}
	for _, token := range forbidden {
		if token >= 0 && token < int64(len(scores)) {
			scores[token] = float32(math.Inf(-1))
		}
	}
	if temperature := float32(r.options.Temperature); r.options.Method == Nucleus && temperature != 1 {
		for i := range scores {
			scores[i] /= temperature
		}
	}
}

func used(tokens []int64) map[int64]bool {
	set := make(map[int64]bool, len(tokens))
	for _, token := range tokens {
		set[token] = true
	}
	return set
}

// repeats returns the tokens that would complete a sequence of the given size that
// occurred before.
func repeats(tokens []int64, size int) []int64 {
	if size == 0 || len(tokens) < size {
		return nil
	}
	var list []int64
	tail := tokens[len(tokens)-(size-1):]
	for i := 0; i+size <= len(tokens); i++ {
		if slices.Equal(tokens[i:i+size-1], tail) {
			list = append(list, tokens[i+size-1])
		}
	}
	return list
}

// LogProbability is the natural logarithm of the probability that the next token, whose logits these are, is one of some.
func LogProbability(logits []float32, tokens ...int64) (float64, error) {
	total, some := logSumExp(logits), make([]float32, 0, len(tokens))
	for _, token := range tokens {
		if token < 0 || token >= int64(len(logits)) {
			return 0, fmt.Errorf("token %d is not one of %d", token, len(logits))
		}
		some = append(some, logits[token])
	}
	if math.IsNaN(total) || math.IsInf(total, 0) {
		return 0, errNotANumber
	}
	return logSumExp(some) - total, nil
}

func (d distribution) choice(token int) choice {
	return choice{
		token:          int64(token),
		logProbability: float64(d.logits[token]) - d.logTotal,
		score:          float64(d.adjusted[token]) - d.adjustedTotal,
	}
}

// top returns the count likeliest tokens, the likeliest first; of equals, the one
// with the smaller id. There are fewer where the others are forbidden.
func (d distribution) top(count int) []choice {
	best := make([]int, 0, count+1)
	for token, value := range d.adjusted {
		if math.IsInf(float64(value), -1) || len(best) == count && value <= d.adjusted[best[count-1]] ||
			len(d.forbidden) > 0 && slices.Contains(d.forbidden, int64(token)) {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, value, func(other int, value float32) int {
			if d.adjusted[other] >= value {
				return -1
			}
			return 1
		})
		best = slices.Insert(best, at, token)
		best = best[:min(len(best), count)]
	}
	choices := make([]choice, len(best))
	for i, token := range best {
		choices[i] = d.choice(token)
	}
	return choices
}

// draw picks one of the likeliest tokens that together have the given probability,
// in proportion to their probabilities. There is none where all are forbidden.
func (d distribution) draw(random *rand.Rand, probability float64) (choice, bool) {
	type option struct {
		token       int
		probability float64
	}
	options := make([]option, 0, 256)
	// What is left out here has together less than 1e-8 times the vocabulary.
	floor := math.Log(1e-8) + d.adjustedTotal
	for token, value := range d.adjusted {
		if float64(value) > floor {
			options = append(options, option{token, math.Exp(float64(value) - d.adjustedTotal)})
		}
	}
	slices.SortStableFunc(options, func(a, b option) int { return cmp.Compare(b.probability, a.probability) })
	kept, sum := 0, 0.0
	for kept < len(options) && sum < probability {
		sum += options[kept].probability
		kept++
	}
	if kept == 0 {
		return choice{}, false
	}
	target := random.Float64() * sum
	for _, option := range options[:kept] {
		target -= option.probability
		if target < 0 {
			return d.choice(option.token), true
		}
	}
	return d.choice(options[kept-1].token), true
}
