package embed

import (
	"cmp"
	"errors"
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
	adjusted []float32 // after repetition control; -Inf for what is forbidden
	// logTotal is the logarithm of the sum of the exponentials of either.
	logTotal, adjustedTotal float64
}

var errNotANumber = errors.New("the model gave a value that is not a number")

// score applies length and repetition control to the logits of one hypothesis.
func (s search) score(h hypothesis, logits []float32) (distribution, error) {
	d := distribution{logits: logits, adjusted: logits, logTotal: logSumExp(logits)}
	if math.IsNaN(d.logTotal) || math.IsInf(d.logTotal, 0) {
		return d, errNotANumber
	}
	d.adjustedTotal = d.logTotal
	endless := len(h.tokens) < s.options.MinimumLength
	if !endless && s.options.RepetitionPenalty == 1 && s.options.NoRepeat == 0 {
		return d, nil
	}
	d.adjusted = slices.Clone(logits)
	if penalty := float32(s.options.RepetitionPenalty); penalty != 1 {
		for token := range used(h.tokens) {
			if d.adjusted[token] > 0 {
				d.adjusted[token] /= penalty
			} else {
				d.adjusted[token] *= penalty
			}
		}
	}
	forbidden := repeats(h.tokens, s.options.NoRepeat)
	if endless {
		forbidden = append(forbidden, s.end)
	}
	for _, token := range forbidden {
		d.adjusted[token] = float32(math.Inf(-1))
	}
	if d.adjustedTotal = logSumExp(d.adjusted); math.IsNaN(d.adjustedTotal) {
		return d, errNotANumber
	}
	return d, nil
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

func logSumExp(values []float32) float64 {
	largest := float32(math.Inf(-1))
	for _, value := range values {
		largest = max(largest, value) // NaN if any is NaN
	}
	sum := 0.0
	for _, value := range values {
		sum += math.Exp(float64(value - largest))
	}
	return float64(largest) + math.Log(sum)
}

func (d distribution) choice(token int) choice {
	return choice{
		token:          int64(token),
		logProbability: float64(d.logits[token]) - d.logTotal,
		score:          float64(d.adjusted[token]) - d.adjustedTotal,
	}
}

// top returns the count likeliest tokens, the likeliest first; of equals, the one
// with the smaller id.
func (d distribution) top(count int) []choice {
	best := make([]int, 0, count+1)
	for token, value := range d.adjusted {
		if len(best) == count && value <= d.adjusted[best[count-1]] {
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
// in proportion to their probabilities.
func (d distribution) draw(random *rand.Rand, probability float64) choice {
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
	target := random.Float64() * sum
	for _, option := range options[:kept] {
		target -= option.probability
		if target < 0 {
			return d.choice(option.token)
		}
	}
	return d.choice(options[kept-1].token)
}
