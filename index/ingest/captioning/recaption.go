package captioning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/embed/priority"
	"mekiki/index"
	"mekiki/index/pictures"
)

// RecaptionOptions say which captions to write for the pictures of a library.
type RecaptionOptions struct {
	// Source and Writer say who writes; see [Options].
	Source Source
	Writer Writer
	// Keep is how many captions to keep for a picture; zero means one.
	Keep int
	// Candidates is how many the Q-Former's head writes, of which the best are kept; zero means three.
	Candidates int
	// Decoder reads originals of pictures whose tokens are not kept, or whose pixels the writer needs; nil means one with
	// the defaults.
	Decoder *pixels.Decoder
	// Progress is called after each batch.
	Progress func(Recaptioned)
	// Logger receives warnings; nil is silent.
	Logger *slog.Logger
}

// Recaptioned says how far writing captions has come.
type Recaptioned struct {
	// Pictures are all that there are, Done those that were looked at.
	Pictures int `json:"pictures"`
	Done     int `json:"done"`
	// Described have captions now, Rejected none that matching accepts, and Failed could not be read: the latter keep the
	// captions that they had.
	Described int `json:"described"`
	Rejected  int `json:"rejected"`
	Failed    int `json:"failed"`
}

// Recaption writes the captions of all pictures of a library anew. What one batch wrote stays when the next one is
// stopped.
func Recaption(ctx context.Context, library index.Library, engine Engine, options RecaptionOptions) (state Recaptioned, err error) {
	if err := Check(options.Source, options.Writer); err != nil {
		return Recaptioned{}, fmt.Errorf("write captions: %w", err)
	}
	options.Keep = cmp.Or(options.Keep, 1)
	options.Candidates = cmp.Or(options.Candidates, DefaultCandidates)
	if options.Keep < 1 || options.Candidates < 1 {
		return Recaptioned{}, errors.New("write captions: the numbers of captions are negative")
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Decoder == nil {
		decoder, err := pixels.NewDecoder(pixels.Options{})
		if err != nil {
			return Recaptioned{}, fmt.Errorf("write captions: %w", err)
		}
		defer func() { err = errors.Join(err, decoder.Close()) }()
		options.Decoder = decoder
	}
	ctx = priority.Background(ctx) // searches go first
	reader, err := library.Reader(ctx)
	if err != nil {
		return Recaptioned{}, err
	}
	defer reader.Close()
	r := &recaption{library: library, reader: reader, engine: engine, options: options, pixels: options.Writer != nil && options.Writer.NeedsPixels(), describer: Describer{
		Engine: engine, Source: options.Source, Writer: options.Writer, Candidates: max(options.Candidates, options.Keep), Keep: options.Keep,
	}}
	r.state.Pictures = reader.Count(index.KindImage)
	var ids []index.ID
	for record, err := range reader.All(ctx) {
		if err != nil {
			return r.state, err
		}
		if record.Kind != index.KindImage {
			continue
		}
		if ids = append(ids, record.ID); len(ids) == recaptionBatch {
			if err := r.batch(ctx, ids); err != nil {
				return r.state, err
			}
			ids = nil
		}
	}
	return r.state, r.batch(ctx, ids)
}

type recaption struct {
	library   index.Library
	reader    index.Reader
	engine    Engine
	options   RecaptionOptions
	describer Describer
	pixels    bool // the writer needs them, and not the tokens
	state     Recaptioned
}

// batch describes some pictures and writes what was kept.
func (r *recaption) batch(ctx context.Context, ids []index.ID) error {
	if len(ids) == 0 {
		return nil
	}
	kept := make([]embed.ImageTokens, len(ids))
	if space, some := r.reader.Space(); some && space == r.engine.Space() {
		var err error
		if kept, err = r.reader.Tokens(ctx, ids); err != nil {
			return fmt.Errorf("read image tokens: %w", err)
		}
	}
	var read []index.ID
	var pictures []*pixels.Image
	var tokens []embed.ImageTokens
	for i, id := range ids {
		picture, own, err := r.read(ctx, id, kept[i])
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.state.Failed++
			r.options.Logger.Warn("cannot read a picture", "record", id, "error", err)
			continue
		}
		read, pictures, tokens = append(read, id), append(pictures, picture), append(tokens, own)
	}
	captions, err := r.describer.Describe(ctx, pictures, tokens)
	if err != nil {
		return fmt.Errorf("write captions: %w", err)
	}
	if err := r.write(ctx, read, captions); err != nil {
		return err
	}
	r.state.Done += len(ids)
	if r.options.Progress != nil {
		r.options.Progress(r.state)
	}
	return nil
}

// read gives the tokens of a picture, and its pixels where the writer needs them.
func (r *recaption) read(ctx context.Context, id index.ID, kept embed.ImageTokens) (*pixels.Image, embed.ImageTokens, error) {
	if kept.Rows > 0 && !r.pixels {
		return nil, kept, nil
	}
	picture, err := pictures.Read(ctx, r.reader, r.options.Decoder, id)
	if err != nil || kept.Rows > 0 {
		return picture, kept, err
	}
	tokens, err := pictures.Tokens(ctx, r.engine, picture)
	if err != nil || !r.pixels { // a batch of pictures takes much memory, and nobody needs this one's any more
		picture = nil
	}
	return picture, tokens, err
}

// write replaces the captions of pictures that are still there.
func (r *recaption) write(ctx context.Context, ids []index.ID, captions [][]index.Caption) error {
	if captions == nil {
		return nil
	}
	now, err := r.library.Reader(ctx)
	if err != nil {
		return err
	}
	records, err := now.Records(ctx, ids)
	if err = errors.Join(err, now.Close()); err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	var batch index.Batch
	for i, id := range ids {
		if records[i] == nil {
			continue
		}
		if len(captions[i]) == 0 {
			r.state.Rejected++
		} else {
			r.state.Described++
		}
		batch.Captions = append(batch.Captions, index.CaptionChange{ID: id, Captions: slices.Clone(captions[i])})
	}
	if len(batch.Captions) == 0 {
		return nil
	}
	_, err = r.library.Write(ctx, batch)
	return err
}
