package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index/pictures"
	"mekiki/search/evaluate/datasets"
	"mekiki/search/evaluate/statistics"
)

// Pointer is what the pointing game needs of a model; *embed.Engine is one.
type Pointer interface {
	embed.Model
	embed.ImageEmbedder
	embed.Locator
}

// PointingReport is how often maps point at what a text names. Its JSON is a public
// contract.
type PointingReport struct {
	// Dataset and Model name what was evaluated; Fingerprint identifies the model.
	Dataset     string `json:"dataset"`
	Model       string `json:"model,omitempty"`
	Fingerprint string `json:"fingerprint"`
	// Images are those asked about, Rows and Columns the size of their maps.
	Images  int `json:"images"`
	Rows    int `json:"rows"`
	Columns int `json:"columns"`
	// Several are the texts whose picture holds other kinds too, from which the named one
	// must be told; Single are the others.
	Several PointingSet `json:"several"`
	Single  PointingSet `json:"single"`
	// Seconds is what the evaluation took.
	Seconds float64 `json:"seconds"`
}

// PointingSet is the pointing game on some texts.
type PointingSet struct {
	// Texts counts them; each names one kind in one picture.
	Texts int `json:"texts"`
	// Chance is the mean share of a picture that the boxes of the named kind cover, in
	// percent: what pointing at random hits. Centre is what pointing at the centre hits.
	Chance float64 `json:"chance"`
	Centre Share   `json:"centre"`
	// Methods are the ways of making maps.
	Methods []PointingMethod `json:"methods"`
}

// PointingMethod is how well one way of making maps points.
type PointingMethod struct {
	Method embed.MapMethod `json:"method"`
	// Hits are the maps whose largest value lies in a box of the named kind, and Others
	// those whose largest value lies in a box of another kind, and in none of the named.
	Hits   Share `json:"hits"`
	Others Share `json:"others"`
	// Inside is the share of the map's sum in the boxes of the named kind, a mean in
	// percent.
	Inside float64 `json:"inside"`
	// Milliseconds is what a map took, a mean.
	Milliseconds float64 `json:"milliseconds"`
}

// pointingCase is a text that names one kind of a picture.
type pointingCase struct {
	picture int
	text    string
	named   []datasets.Box
	others  []datasets.Box
	several bool
	tokens  embed.ImageTokens
	width   int
	height  int
}

// pointed is what a map did on a case.
type pointed struct {
	hit, other bool
	inside     float64
	took       time.Duration
}

// Pointing plays the pointing game: whether the largest value of a map lies in a box of
// what the text names. It takes pictures of options.Splits whose truth has boxes, and
// image tokens packed as libraries keep them.
func Pointing(ctx context.Context, engine Pointer, source Source, options Options) (PointingReport, error) {
	started := time.Now()
	options = options.withDefaults()
	if err := options.check(source.Dataset); err != nil {
		return PointingReport{}, fmt.Errorf("evaluate: %w", err)
	}
	truth, err := datasets.ReadTruth(source.Files)
	if err != nil {
		return PointingReport{}, err
	}
	cases, images, err := pointingCases(ctx, engine, source, truth, options)
	if err != nil {
		return PointingReport{}, err
	}
	report := PointingReport{Dataset: source.Dataset.Name, Model: options.Model, Fingerprint: engine.Space().Fingerprint, Images: images}
	total := 2 * len(cases)
	results := map[embed.MapMethod][]pointed{}
	for number, method := range pointingMethods {
		for i, one := range cases {
			before := time.Now()
			found, err := engine.Locate(ctx, one.tokens, one.text, embed.LocateOptions{Method: method})
			if err != nil {
				return PointingReport{}, err
			}
			result := one.judge(found)
			result.took = time.Since(before)
			results[method] = append(results[method], result)
			report.Rows, report.Columns = found.Rows, found.Columns
			options.Progress("draw maps", number*len(cases)+i+1, total)
		}
	}
	report.Several = pointingSet(cases, results, true)
	report.Single = pointingSet(cases, results, false)
	report.Seconds = statistics.RoundTo(time.Since(started).Seconds(), 1)
	return report, nil
}

var pointingMethods = [...]embed.MapMethod{embed.MapAttention, embed.MapOcclusion}

// pointingCases reads the pictures that are asked about.
func pointingCases(ctx context.Context, engine Pointer, source Source, truth map[string]datasets.Truth, options Options) (cases []pointingCase, images int, err error) {
	asked := source.Dataset.Images
	if len(options.Splits) > 0 {
		asked = source.Dataset.Only(options.Splits...).Images
	}
	if options.Sample > 0 && options.Sample < len(asked) {
		random := rand.New(rand.NewPCG(1, 2))
		asked = slices.Clone(asked)
		random.Shuffle(len(asked), func(i, j int) { asked[i], asked[j] = asked[j], asked[i] })
		asked = asked[:options.Sample]
	}
	for i, image := range asked {
		options.Progress("read pictures", i, len(asked))
		things := truth[path.Base(image.Path)].Things
		if !slices.ContainsFunc(things, func(thing datasets.Thing) bool { return len(thing.Boxes) > 0 }) {
			continue
		}
		picture, tokens, err := readTokens(ctx, engine, source, image.Path)
		if err != nil {
			return nil, 0, err
		}
		images++
		for named, thing := range things {
			one := pointingCase{picture: i, text: datasets.WithArticle(thing.Kind), named: thing.Boxes, several: len(things) > 1,
				tokens: tokens, width: picture.Width, height: picture.Height}
			for other, thing := range things {
				if other != named {
					one.others = append(one.others, thing.Boxes...)
				}
			}
			if len(one.named) > 0 {
				cases = append(cases, one)
			}
		}
	}
	if len(cases) == 0 {
		return nil, 0, errors.New("truth.json says of no picture where its things are")
	}
	return cases, images, nil
}

// readTokens reads a picture as a library has it.
func readTokens(ctx context.Context, engine Pointer, source Source, name string) (*pixels.Image, embed.ImageTokens, error) {
	data, err := readPicture(source.Files, name)
	if err != nil {
		return nil, embed.ImageTokens{}, err
	}
	picture, err := pixels.Decode(ctx, data, pixels.Options{})
	if err != nil {
		return nil, embed.ImageTokens{}, fmt.Errorf("decode %s: %w", name, err)
	}
	tokens, err := pictures.Tokens(ctx, engine, picture)
	if err != nil {
		return nil, embed.ImageTokens{}, fmt.Errorf("%s: %w", name, err)
	}
	packed, err := embed.Pack(tokens, embed.PackInt8)
	if err != nil {
		return nil, embed.ImageTokens{}, fmt.Errorf("pack %s: %w", name, err)
	}
	unpacked, err := embed.Unpack(packed)
	return picture, unpacked, err
}

// within tells whether a point lies in one of the boxes.
func within(boxes []datasets.Box, x, y float64) bool {
	return slices.ContainsFunc(boxes, func(box datasets.Box) bool {
		return x >= float64(box[0]) && x < float64(box[2]) && y >= float64(box[1]) && y < float64(box[3])
	})
}

// judge compares a map with the boxes. A cell lies where its centre does.
func (c pointingCase) judge(found embed.Map) (result pointed) {
	centre := func(row, column int) (x, y float64) {
		return (float64(column) + 0.5) * float64(c.width) / float64(found.Columns), (float64(row) + 0.5) * float64(c.height) / float64(found.Rows)
	}
	if row, column, some := found.Peak(); some {
		x, y := centre(row, column)
		result.hit = within(c.named, x, y)
		result.other = !result.hit && within(c.others, x, y)
	}
	var sum float64
	for i, value := range found.Values {
		x, y := centre(i/found.Columns, i%found.Columns)
		sum += float64(value)
		if within(c.named, x, y) {
			result.inside += float64(value)
		}
	}
	if sum > 0 {
		result.inside /= sum
	}
	return result
}

// covered is the share of the picture in the boxes of the named kind.
func (c pointingCase) covered() float64 {
	count := 0
	for y := range c.height {
		for x := range c.width {
			if within(c.named, float64(x), float64(y)) {
				count++
			}
		}
	}
	return float64(count) / float64(max(1, c.width*c.height))
}

// pointingSet sums up the cases whose picture holds several kinds, or the others.
func pointingSet(cases []pointingCase, results map[embed.MapMethod][]pointed, several bool) (set PointingSet) {
	var centre []bool
	var pictures []int
	for _, one := range cases {
		if one.several == several {
			set.Texts++
			set.Chance += one.covered()
			centre = append(centre, within(one.named, float64(one.width)/2, float64(one.height)/2))
			pictures = append(pictures, one.picture)
		}
	}
	if set.Texts == 0 {
		return set
	}
	set.Chance = statistics.RoundTo(100*set.Chance/float64(set.Texts), 1)
	set.Centre = shareOf(centre, pictures)
	for _, method := range pointingMethods {
		var hits, others []bool
		var inside, milliseconds float64
		for i, result := range results[method] {
			if cases[i].several == several {
				hits, others = append(hits, result.hit), append(others, result.other)
				inside += result.inside
				milliseconds += float64(result.took.Microseconds()) / 1000
			}
		}
		set.Methods = append(set.Methods, PointingMethod{Method: method, Hits: shareOf(hits, pictures), Others: shareOf(others, pictures),
			Inside: statistics.RoundTo(100*inside/float64(set.Texts), 1), Milliseconds: statistics.RoundTo(milliseconds/float64(set.Texts), 2)})
	}
	return set
}
