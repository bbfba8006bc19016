package ocr

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"mekiki/embed/ort"
	"mekiki/embed/pixels"
)

// dictionary is what the recogniser's classes stand for: nothing, then each character, then a space.
type dictionary []string

// newDictionary reads a list of characters, one a line.
func newDictionary(list string) (dictionary, error) {
	if len(list) > mostDictionaryBytes {
		return nil, fmt.Errorf("the dictionary has %d bytes, more than %d", len(list), mostDictionaryBytes)
	}
	characters := strings.Split(strings.TrimSuffix(strings.ReplaceAll(list, "\r\n", "\n"), "\n"), "\n")
	if len(characters) > mostCharacters {
		return nil, fmt.Errorf("the dictionary has %d characters, more than %d", len(characters), mostCharacters)
	}
	return append(append(dictionary{""}, characters...), " "), nil
}

// decode reads the text of a line from its scores [T C], one for each class at each place: the likeliest class of each place,
// repeated ones once (CTC). Score is the mean of those of its characters.
func (d dictionary) decode(scores []float32) (text string, score float64) {
	var out strings.Builder
	before, count := -1, 0
	for at := 0; at+len(d) <= len(scores); at += len(d) {
		best := 0
		for class, value := range scores[at : at+len(d)] {
			if value > scores[at+best] {
				best = class
			}
		}
		if best != 0 && best != before {
			out.WriteString(d[best])
			score += float64(scores[at+best])
			count++
		}
		before = best
	}
	return out.String(), score / float64(max(1, count))
}

// read is what a line says.
type read struct {
	text  string
	score float64
}

// recognise reads lines, several of about one shape at a time.
func (r *Reader) recognise(ctx context.Context, lines []*pixels.Image) ([]read, error) {
	ratio := func(m *pixels.Image) float64 { return float64(m.Width) / float64(m.Height) }
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ratio(lines[a]), ratio(lines[b])) })
	found := make([]read, len(lines))
	for group := range slices.Chunk(order, linesTogether) {
		widest := float64(lineWidth) / lineHeight
		for _, i := range group {
			widest = max(widest, min(ratio(lines[i]), longestLine))
		}
		width := int(lineHeight * widest)
		values, err := together(lines, group, width)
		if err != nil {
			return nil, err
		}
		outputs, err := r.recogniser.Run(ctx, ort.Float32Tensor(values, int64(len(group)), 3, lineHeight, int64(width)))
		if err != nil {
			return nil, err
		}
		scores := outputs[0].Float32()
		shape := outputs[0].Shape()
		if len(shape) != 3 || int(shape[2]) != len(r.dictionary) {
			return nil, fmt.Errorf("the recogniser gives %v scores, and the dictionary has %d classes", shape, len(r.dictionary))
		}
		size := len(scores) / len(group)
		for row, i := range group {
			found[i].text, found[i].score = r.dictionary.decode(scores[row*size : (row+1)*size])
		}
	}
	return found, nil
}

// together puts lines side by side as a batch [N 3 lineHeight width], each from the left on, grey behind.
func together(lines []*pixels.Image, group []int, width int) ([]float32, error) {
	values := make([]float32, len(group)*3*lineHeight*width)
	for row, i := range group {
		line := lines[i]
		own := min(width, int(math.Ceil(lineHeight*float64(line.Width)/float64(line.Height))))
		small, err := scaled(line, max(1, own), lineHeight)
		if err != nil {
			return nil, err
		}
		planesInto(values[row*3*lineHeight*width:(row+1)*3*lineHeight*width], small, width)
	}
	return values, nil
}

// upright turns those lines that stand on their heads.
func (r *Reader) upright(ctx context.Context, lines []*pixels.Image) error {
	if r.classifier == nil {
		return nil
	}
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	for group := range slices.Chunk(order, linesTogether) {
		values, err := together(lines, group, turnedWidth)
		if err != nil {
			return err
		}
		outputs, err := r.classifier.Run(ctx, ort.Float32Tensor(values, int64(len(group)), 3, lineHeight, turnedWidth))
		if err != nil {
			return err
		}
		scores := outputs[0].Float32()
		for row, i := range group {
			if 2*row+1 < len(scores) && scores[2*row+1] > scores[2*row] && scores[2*row+1] > turnedThreshold {
				turned(lines[i])
			}
		}
	}
	return nil
}
