package ocr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"mekiki/embed/ort"
	"mekiki/embed/pixels"
	"mekiki/internal/hint"
)

// The models of a folder are told by these parts of their files' names, such as PP-OCRv6_det_small.onnx. The classifier may be
// missing: lines on their heads are then read wrongly.
const (
	detectorPart   = "det"
	classifierPart = "cls"
	recogniserPart = "rec"
)

const modelSuffix = ".onnx"

// dictionaryKey is the entry of the recogniser's metadata that lists its characters.
const dictionaryKey = "character"

// ErrNoReader means that a folder has no models that read words in pictures.
var ErrNoReader = errors.New("there is nothing here that reads words in pictures")

// Options says which models to open and how to run them.
type Options struct {
	// Folder has the models: one file each whose name has "det" and "rec" in it, and perhaps one with "cls", and ends in .onnx.
	Folder string
	// Runtime runs them; it must stay open as long as the Reader.
	Runtime *ort.Runtime
	// Threads bounds the threads of a picture; 0 means all processors.
	Threads int
}

// Line is a line of words in a picture.
type Line struct {
	// Text is what it says, with single spaces where the model saw some.
	Text string
	// Corners are those of its box, in pixels of the picture, from where its text begins above on, clockwise.
	Corners Quad
	// Score is how sure the model is of the characters, 0 to 1, on average.
	Score float64
}

// Reader reads words in pictures. It is safe for concurrent use.
type Reader struct {
	model                            string
	detector, classifier, recogniser *ort.Session
	dictionary                       dictionary
}

// Open opens the models of a folder. The caller must Close the Reader.
func Open(ctx context.Context, options Options) (_ *Reader, err error) {
	r := &Reader{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open %s: %w", options.Folder, err), r.Close())
		}
	}()
	for _, one := range []struct {
		part    string
		session **ort.Session
	}{{detectorPart, &r.detector}, {recogniserPart, &r.recogniser}, {classifierPart, &r.classifier}} {
		path, err := find(options.Folder, one.part)
		if err != nil {
			return nil, err
		}
		if path == "" {
			if one.part == classifierPart {
				continue
			}
			return nil, hint.Wrap(fmt.Errorf("%w: no file with %q in its name", ErrNoReader, one.part), "get the models with: mekiki pull ppocr-v6-small")
		}
		if one.part != classifierPart {
			r.model = strings.TrimPrefix(r.model+"+"+strings.TrimSuffix(filepath.Base(path), modelSuffix), "+")
		}
		if *one.session, err = r.open(ctx, options, path, one.part == recogniserPart); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Model names the detector and the recogniser, such as "PP-OCRv6_det_small+PP-OCRv6_rec_small".
func (r *Reader) Model() string { return r.model }

// find is the file of a folder that has a part in its name; "" where there is none.
func find(folder, part string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, modelSuffix) && strings.Contains(strings.ToLower(name), part) {
			return filepath.Join(folder, name), nil
		}
	}
	return "", nil
}

// open opens a model, and takes the dictionary of one that has it.
func (r *Reader) open(ctx context.Context, options Options, path string, withDictionary bool) (*ort.Session, error) {
	described, err := options.Runtime.Describe(ctx, path, dictionaryKey)
	if err != nil {
		return nil, err
	}
	if len(described.Inputs) != 1 || len(described.Inputs[0].Shape) != 4 || len(described.Outputs) < 1 || described.Inputs[0].Type != ort.Float32 {
		return nil, fmt.Errorf("%s does not take a picture and give scores", filepath.Base(path))
	}
	if withDictionary {
		if r.dictionary, err = newDictionary(described.Metadata[dictionaryKey]); err != nil {
			return nil, err
		}
	}
	return options.Runtime.Session(ctx, ort.SessionOptions{
		Path: path, Inputs: described.Inputs, Outputs: described.Outputs[:1], Threads: options.Threads,
	})
}

// Close frees the models' memory. Nothing may be being read.
func (r *Reader) Close() error {
	var problems []error
	for _, session := range []*ort.Session{r.detector, r.classifier, r.recogniser} {
		if session != nil {
			problems = append(problems, session.Close())
		}
	}
	return errors.Join(problems...)
}

// Read reads the lines of words in a picture, from top to bottom. The picture is not changed.
func (r *Reader) Read(ctx context.Context, picture *pixels.Image) ([]Line, error) {
	m, err := bounded(picture)
	if err != nil {
		return nil, err
	}
	scaleX, scaleY := float64(picture.Width)/float64(m.Width), float64(picture.Height)/float64(m.Height)
	m, above, err := padded(m)
	if err != nil {
		return nil, err
	}
	boxes, err := r.detect(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("find lines: %w", err)
	}
	lines := make([]*pixels.Image, len(boxes))
	for i, box := range boxes {
		if lines[i], err = cut(m, box.Quad); err != nil {
			return nil, err
		}
	}
	if err := r.upright(ctx, lines); err != nil {
		return nil, fmt.Errorf("turn lines: %w", err)
	}
	texts, err := r.recognise(ctx, lines)
	if err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	var result []Line
	for i, one := range texts {
		text := strings.Join(strings.Fields(one.text), " ")
		if text == "" || one.score < textThreshold {
			continue
		}
		corners := boxes[i].Quad
		for c, corner := range corners {
			corners[c] = Point{
				min(max(corner.X*scaleX, 0), float64(picture.Width)), min(max((corner.Y-float64(above))*scaleY, 0), float64(picture.Height)),
			}
		}
		result = append(result, Line{Text: text, Corners: corners, Score: one.score})
	}
	return result, nil
}

// bounded makes a picture smaller or larger so that its sides lie within the limits of what is read.
func bounded(m *pixels.Image) (*pixels.Image, error) {
	ratio := 1.0
	switch {
	case max(m.Width, m.Height) > longestSide:
		ratio = longestSide / float64(max(m.Width, m.Height))
	case min(m.Width, m.Height) < shortestSide:
		ratio = shortestSide / float64(min(m.Width, m.Height))
	default:
		return m, nil
	}
	multiple := func(side int) int {
		return min(max(sideStep, int(math.RoundToEven(float64(int(float64(side)*ratio))/sideStep))*sideStep), longestSide)
	}
	return scaled(m, multiple(m.Width), multiple(m.Height))
}

// padded puts black above and below a picture that is low, or much wider than high, and says how many rows above.
func padded(m *pixels.Image) (*pixels.Image, int, error) {
	if m.Height > lowHeight && float64(m.Width)/float64(m.Height) <= wideRatio {
		return m, 0, nil
	}
	high := 2 * max(m.Width/wideRatio, lowHeight)
	above := max(high-m.Height, m.Height-high) / 2
	out, err := pixels.New(m.Width, m.Height+2*above)
	if err != nil {
		return nil, 0, err
	}
	copy(out.Pix[3*m.Width*above:], m.Pix)
	return out, above, nil
}
