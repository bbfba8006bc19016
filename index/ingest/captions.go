package ingest

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

// CaptionSource says who writes captions.
type CaptionSource string

// The sources. The Q-Former's own language head is the default.
const (
	CaptionsITG  CaptionSource = "itg"  // the Q-Former's language head
	CaptionsLM   CaptionSource = "lm"   // the language model of a second stage
	CaptionsBoth CaptionSource = "both" // either
)

// CaptionWriter writes captions beside the engine: a second stage, as [ask.Asker] is.
type CaptionWriter interface {
	// WriteCaptions writes captions of pictures, of which the engine has made image tokens. They say their model and
	// their prompt; their match is not computed.
	WriteCaptions(ctx context.Context, pictures []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error)
}

// captionAccepted is the probability of image-text matching from which a caption is kept where a language model takes
// part: it writes well of what is not there, too.
const captionAccepted = 0.5

// captionCandidates is how many captions the Q-Former's head writes of a picture unless told otherwise.
const captionCandidates = 3

// describer writes captions of pictures and keeps some.
type describer struct {
	engine     Engine
	source     CaptionSource
	writer     CaptionWriter // nil for CaptionsITG
	candidates int           // of the engine
	keep       int           // the most that are kept
}

// byLanguage reports whether a language model takes part.
func (d describer) byLanguage() bool { return d.source == CaptionsLM || d.source == CaptionsBoth }

// Describe writes captions of pictures, of which the engine has made image tokens, and keeps at most keep of each: those
// that image-text matching accepts, the best first.
func Describe(ctx context.Context, engine Engine, source CaptionSource, writer CaptionWriter, keep int, pictures []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error) {
	if err := checkCaptions(source, writer); err != nil {
		return nil, fmt.Errorf("write captions: %w", err)
	}
	return describer{engine: engine, source: source, writer: writer, candidates: max(keep, captionCandidates), keep: keep}.describe(ctx, pictures, tokens)
}

// captions writes the captions of a run's pictures; nil where none are wanted.
func (r *run) captions(ctx context.Context, pictures []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error) {
	if r.options.Captions < 0 {
		return nil, nil
	}
	d := describer{
		engine: r.engine, source: r.options.CaptionSource, writer: r.options.CaptionWriter,
		candidates: max(r.options.CaptionCandidates, r.options.Captions), keep: r.options.Captions,
	}
	return d.describe(ctx, pictures, tokens)
}

// describe writes candidates for each picture and keeps those that image-text matching finds to describe it best, as
// BLIP's CapFilt does (arXiv 2201.12086); of a language model's, and beside these, only those that it accepts. It is nil
// where there is nobody to write.
func (d describer) describe(ctx context.Context, pictures []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error) {
	written := make([][]index.Caption, len(tokens))
	asked := false
	if d.source != CaptionsLM && d.engine.Capabilities().Caption {
		asked = true
		own, err := d.engine.CaptionImages(ctx, tokens, embed.CaptionOptions{
			Method: embed.Beam, Beams: d.candidates, Count: d.candidates, MinimumLength: 8, MaximumLength: 30,
		})
		if err != nil {
			return nil, err
		}
		for i := range own {
			for _, caption := range own[i] {
				written[i] = append(written[i], index.Caption{Text: caption.Text, Model: d.engine.Space().Fingerprint})
			}
		}
	}
	if d.byLanguage() {
		asked = true
		others, err := d.writer.WriteCaptions(ctx, pictures, tokens)
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
func (d describer) judge(ctx context.Context, tokens embed.ImageTokens, written []index.Caption) ([]index.Caption, error) {
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
	if d.engine.Capabilities().Match {
		matches, err := d.engine.MatchPairs(ctx, slices.Repeat([]embed.ImageTokens{tokens}, len(texts)), texts)
		if err != nil {
			return nil, err
		}
		for i := range captions {
			captions[i].Match = matches[i].Probability
		}
		if d.byLanguage() {
			captions = slices.DeleteFunc(captions, func(c index.Caption) bool { return c.Match < captionAccepted })
		}
	}
	slices.SortStableFunc(captions, func(a, b index.Caption) int { return cmp.Compare(b.Match, a.Match) })
	return captions[:min(len(captions), d.keep)], nil
}
