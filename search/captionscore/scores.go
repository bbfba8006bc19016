package captionscore

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// sigma is how much a caption may differ in length before CIDEr-D minds, in words.
const sigma = 6

// Entry is the caption of one picture, with those of people.
type Entry struct {
	Caption    string
	References []string
}

// Scores are those of a set of captions.
type Scores struct {
	// BLEU has BLEU-1 to BLEU-4, 0 to 1.
	BLEU [longest]float64
	// CIDErD is 0 to 10; scores are usually given times 100, as "145.8" for 1.458.
	CIDErD float64
	// Each has CIDEr-D entry by entry.
	Each []float64
}

// grams counts sequences of words, by their length less one.
type grams [longest]map[string]int

func gramsOf(words []string) (counts grams) {
	for n := range counts {
		counts[n] = map[string]int{}
		for i := 0; i+n < len(words); i++ {
			counts[n][strings.Join(words[i:i+n+1], " ")]++
		}
	}
	return counts
}

// sentence is a caption as it is compared.
type sentence struct {
	words int
	grams grams
}

func sentenceOf(caption string) sentence {
	words := Words(caption)
	words = words[:min(len(words), maximumWords)]
	return sentence{len(words), gramsOf(words)}
}

// compared is an entry as it is compared.
type compared struct {
	caption    sentence
	references []sentence
}

// Measure scores a set of captions. An entry without references is an error.
func Measure(entries []Entry) (Scores, error) {
	if len(entries) == 0 {
		return Scores{}, errors.New("there are no captions to measure")
	}
	if len(entries) > maximumEntries {
		return Scores{}, fmt.Errorf("%d captions are more than %d", len(entries), maximumEntries)
	}
	set := make([]compared, len(entries))
	for i, entry := range entries {
		if len(entry.References) == 0 {
			return Scores{}, fmt.Errorf("caption %d has no reference to be compared with", i)
		}
		set[i].caption = sentenceOf(entry.Caption)
		for _, reference := range entry.References {
			set[i].references = append(set[i].references, sentenceOf(reference))
		}
	}
	scores := Scores{BLEU: bleu(set), Each: ciderD(set)}
	for _, score := range scores.Each {
		scores.CIDErD += score / float64(len(scores.Each))
	}
	return scores, nil
}

// bleu is BLEU over all captions together, each beside the reference of the nearest length.
func bleu(set []compared) (scores [longest]float64) {
	var correct, guessed [longest]int
	length, wanted := 0, 0
	for _, entry := range set {
		words := entry.caption.words
		length += words
		wanted += nearestLength(words, entry.references)
		for n := range longest {
			guessed[n] += max(0, words-n)
			for gram, count := range entry.caption.grams[n] {
				most := 0
				for _, reference := range entry.references {
					most = max(most, reference.grams[n][gram])
				}
				correct[n] += min(count, most)
			}
		}
	}
	const tiny, small = 1e-15, 1e-9 // as the evaluation has them, so that nothing is divided by zero
	brevity := 1.0
	if ratio := (float64(length) + tiny) / (float64(wanted) + small); ratio < 1 {
		brevity = math.Exp(1 - 1/ratio)
	}
	product := 1.0
	for n := range longest {
		product *= (float64(correct[n]) + tiny) / (float64(guessed[n]) + small)
		scores[n] = math.Pow(product, 1/float64(n+1)) * brevity
	}
	return scores
}

// nearestLength is the length of the reference nearest to a length, of two the shorter one.
func nearestLength(words int, references []sentence) int {
	best := references[0].words
	for _, reference := range references {
		distance, least := abs(reference.words-words), abs(best-words)
		if distance < least || distance == least && reference.words < best {
			best = reference.words
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// weighted is a caption with its grams weighed by how rare they are in the references.
type weighted struct {
	weights [longest]map[string]float64
	norms   [longest]float64
	pairs   int // of words, by which CIDEr-D compares lengths
}

// ciderD scores each caption of a set.
func ciderD(set []compared) []float64 {
	found := map[string]int{} // in the references of how many pictures
	for _, entry := range set {
		seen := map[string]bool{}
		for _, reference := range entry.references {
			for n := range longest {
				for gram := range reference.grams[n] {
					if !seen[gram] {
						seen[gram] = true
						found[gram]++
					}
				}
			}
		}
	}
	all := math.Log(float64(len(set)))
	weigh := func(s sentence) (w weighted) {
		for n := range longest {
			w.weights[n] = make(map[string]float64, len(s.grams[n]))
			for gram, count := range s.grams[n] {
				weight := float64(count) * (all - math.Log(max(1, float64(found[gram]))))
				w.weights[n][gram] = weight
				w.norms[n] += weight * weight
			}
			w.norms[n] = math.Sqrt(w.norms[n])
		}
		w.pairs = max(0, s.words-1)
		return w
	}
	scores := make([]float64, len(set))
	for i, entry := range set {
		caption := weigh(entry.caption)
		for _, reference := range entry.references {
			scores[i] += likeness(caption, weigh(reference))
		}
		scores[i] *= 10 / float64(len(entry.references))
	}
	return scores
}

// likeness is the mean, over lengths of grams, of the clipped cosine of two captions, less for a difference in length.
func likeness(caption, reference weighted) float64 {
	sum := 0.0
	for n := range longest {
		dot := 0.0
		for gram, weight := range caption.weights[n] {
			other := reference.weights[n][gram]
			dot += min(weight, other) * other
		}
		if norms := caption.norms[n] * reference.norms[n]; norms != 0 {
			dot /= norms
		}
		sum += dot
	}
	delta := float64(caption.pairs - reference.pairs)
	return sum / longest * math.Exp(-delta*delta/(2*sigma*sigma))
}
