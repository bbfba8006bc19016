package captioning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/embed/priority"
	"mekiki/index"
	"mekiki/index/ingest/rules"
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
	// Missing leaves the captions that there are alone, and writes those of pictures that have none and are not in the trash:
	// of those that LastUsed names first, the latest before the others, then the newest first. A picture for which nobody
	// has a caption that fits is not described again.
	Missing bool
	// Below are folders and files; Missing pictures without a file that is one of these or below one are left out. None
	// means all pictures.
	Below []string
	// Shard leaves out Missing pictures whose first file is in another one.
	Shard rules.Shard
	// LastUsed says when contents were looked at last, where that is known.
	LastUsed map[index.Hash]time.Time
	// Model is told when the model began and ended a batch of Missing; it may be nil.
	Model func(start, end time.Time)
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

// Recaption writes the captions of all pictures of a library anew, or those that are missing. What one batch wrote stays when the next one is
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
	r := &recaption{library: library, engine: engine, options: options, pixels: options.Writer != nil && options.Writer.NeedsPixels(), describer: Describer{
		Engine: engine, Source: options.Source, Writer: options.Writer, Candidates: max(options.Candidates, options.Keep), Keep: options.Keep,
	}}
	if options.Missing {
		err := r.complete(ctx)
		return r.state, err
	}
	return r.state, r.all(ctx)
}

// all writes the captions of all pictures anew.
func (r *recaption) all(ctx context.Context) error {
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	r.reader = reader
	r.state.Pictures = reader.Count(index.KindImage)
	var ids []index.ID
	for record, err := range reader.All(ctx) {
		if err != nil {
			return err
		}
		if record.Kind != index.KindImage {
			continue
		}
		if ids = append(ids, record.ID); len(ids) == recaptionBatch {
			if err := r.batch(ctx, ids); err != nil {
				return err
			}
			ids = nil
		}
	}
	return r.batch(ctx, ids)
}

type recaption struct {
	library   index.Library
	reader    index.Reader // of all
	engine    Engine
	options   RecaptionOptions
	describer Describer
	pixels    bool // the writer needs them, and not the tokens
	state     Recaptioned
	// passed, refused and doubted are those of Missing: the pictures that get no caption, how many the model failed on in a row,
	// and which these are.
	passed  *passed
	refused int
	doubted []index.Hash
	// crew, seen: where others may write captions of the same library, which pictures fall to this process, and which it has looked at.
	crew Crew
	seen map[index.Hash]bool
}

// tell reports how far it is.
func (r *recaption) tell() {
	if r.options.Progress != nil {
		r.options.Progress(r.state)
	}
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
		picture, own, err := readPicture(ctx, r.reader, r.engine, r.options.Decoder, id, kept[i], r.pixels)
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
	r.tell()
	return nil
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
