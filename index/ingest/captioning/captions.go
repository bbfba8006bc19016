package captioning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
)

// Source says who writes captions.
type Source string

// The sources. The Q-Former's own language head is the default.
const (
	ITG  Source = "itg"  // the Q-Former's language head
	LM   Source = "lm"   // the language model of a second stage
	Both Source = "both" // either
)

// Writer writes captions beside the engine: a second stage, as [ask.Asker] is.
type Writer interface {
	// WriteCaptions writes captions of pictures, of which the engine has made image tokens. They say their model and
	// their prompt; their match is not computed.
	WriteCaptions(ctx context.Context, pictures []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error)
	// NeedsPixels reports whether it reads the pictures themselves, and not the tokens.
	NeedsPixels() bool
}

// Engine is what describing pictures needs of a model; *embed.Engine is one.
type Engine interface {
	embed.Model
	embed.ImageEmbedder
	embed.Matcher
	embed.Captioner
}

// Check reports a source of captions that is none, or that has nobody to write.
func Check(source Source, writer Writer) error {
	switch {
	case source != "" && source != ITG && source != LM && source != Both:
		return fmt.Errorf("captions are written by itg, lm or both, not by %q", source)
	case (source == LM || source == Both) && writer == nil:
		return errors.New("there is no second stage to write captions")
	}
	return nil
}

// Describer writes captions of pictures and keeps some.
type Describer struct {
	Engine     Engine
	Source     Source
	Writer     Writer // nil for ITG
	Candidates int    // of the engine
	Keep       int    // the most that are kept
}

// byLanguage reports whether a language model takes part.
func (d Describer) byLanguage() bool { return d.Source == LM || d.Source == Both }

// Describe writes captions of pictures, of which the engine has made image tokens, and keeps at most keep of each: those
// that image-text matching accepts, the best first.
func Describe(ctx context.Context, engine Engine, source Source, writer Writer, keep int, pictures []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error) {
	if err := Check(source, writer); err != nil {
		return nil, fmt.Errorf("write captions: %w", err)
	}
	return Describer{Engine: engine, Source: source, Writer: writer, Candidates: max(keep, DefaultCandidates), Keep: keep}.Describe(ctx, pictures, tokens)
}

// Describe writes candidates for each picture and keeps those that image-text matching finds to describe it best, as
// BLIP's CapFilt does (arXiv 2201.12086); of a language model's, and beside these, only those that it accepts. It is nil
// where there is nobody to write.
func (d Describer) Describe(ctx context.Context, pictures []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error) {
	written := make([][]index.Caption, len(tokens))
	asked := false
	if d.Source != LM && d.Engine.Capabilities().Caption {
		asked = true
		own, err := d.Engine.CaptionImages(ctx, tokens, embed.CaptionOptions{
			Method: embed.Beam, Beams: d.Candidates, Count: d.Candidates, MinimumLength: 8, MaximumLength: 30,
		})
		if err != nil {
			return nil, err
		}
		for i := range own {
			for _, caption := range own[i] {
				written[i] = append(written[i], index.Caption{Text: caption.Text, Model: d.Engine.Space().Fingerprint})
			}
		}
	}
	if d.byLanguage() {
		asked = true
		others, err := d.Writer.WriteCaptions(ctx, pictures, tokens)
		if err != nil {
			return nil, err
		}
		if len(others) != len(tokens) {
			return nil, errors.New("got captions of another number of pictures")
		}
		for i := range others {
			written[i] = append(written[i], others[i]...)
		}
	}
	if !asked {
		return nil, nil
	}
	kept := make([][]index.Caption, len(tokens))
	var err error
	for i := range tokens {
		if kept[i], err = d.judge(ctx, tokens[i], written[i]); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// judge ranks captions by their match with the image, best first, and keeps the first; where the model cannot match, they
// stay in the order in which they were written.
func (d Describer) judge(ctx context.Context, tokens embed.ImageTokens, written []index.Caption) ([]index.Caption, error) {
	var captions []index.Caption
	var texts []string
	for _, caption := range written {
		caption.Text, caption.Match = strings.TrimSpace(caption.Text), -1
		if caption.Text != "" && !slices.Contains(texts, caption.Text) {
			captions, texts = append(captions, caption), append(texts, caption.Text)
		}
	}
	if len(captions) == 0 {
		return nil, nil
	}
	if d.Engine.Capabilities().Match {
		matches, err := d.Engine.MatchPairs(ctx, slices.Repeat([]embed.ImageTokens{tokens}, len(texts)), texts)
		if err != nil {
			return nil, err
		}
		for i := range captions {
			captions[i].Match = matches[i].Probability
		}
		if d.byLanguage() {
			captions = slices.DeleteFunc(captions, func(c index.Caption) bool { return c.Match < accepted })
		}
	}
	slices.SortStableFunc(captions, func(a, b index.Caption) int { return cmp.Compare(b.Match, a.Match) })
	return captions[:min(len(captions), d.Keep)], nil
}
