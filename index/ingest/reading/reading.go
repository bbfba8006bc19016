package reading

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"mekiki/embed/ocr"
	"mekiki/embed/pixels"
	"mekiki/embed/priority"
	"mekiki/index"
	"mekiki/index/pictures"
)

// Words reads the words in pictures; *ocr.Reader does.
type Words interface {
	// Read gives the lines of words in a picture, from top to bottom.
	Read(ctx context.Context, picture *pixels.Image) ([]ocr.Line, error)
	// Model names the models.
	Model() string
}

// Options say which pictures are read and how.
type Options struct {
	// Again reads the pictures too that other models have read.
	Again bool
	// Since leaves out pictures that were last written at or before this commit: what failed then is not tried again. Zero takes all.
	Since uint64
	// Decoder reads originals; nil means one with the defaults.
	Decoder *pixels.Decoder
	// Turns, which may be nil, lets other work of the same machine go first between two pictures.
	Turns *priority.Turns
	// Progress, which may be nil, is called after each picture.
	Progress func(Progress)
	// Logger receives warnings; nil is silent.
	Logger *slog.Logger
}

// Progress says how far reading has come.
type Progress struct {
	// Pictures are all that the library has, and Before those of them that had been read when it began.
	Pictures int `json:"pictures"`
	Before   int `json:"before"`
	// Done were looked at: Worded have words, in Lines lines, Failed could not be read and are tried again the next time, and the
	// others have no words.
	Done   int `json:"done"`
	Worded int `json:"with_words"`
	Lines  int `json:"lines"`
	Failed int `json:"failed"`
}

// Left is how many pictures are still to be read.
func (p Progress) Left() int { return p.Pictures - p.Before - p.Done }

// Read reads the words in those pictures of a library that have not been read. What it has read is kept when it is stopped,
// and the next time it goes on from there.
func Read(ctx context.Context, library index.Library, words Words, options Options) (state Progress, err error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Decoder == nil {
		decoder, err := pixels.NewDecoder(pixels.Options{})
		if err != nil {
			return state, fmt.Errorf("read words: %w", err)
		}
		defer func() { err = errors.Join(err, decoder.Close()) }()
		options.Decoder = decoder
	}
	r := &reading{library: library, words: words, options: options, began: time.Now()}
	if err := r.run(priority.Background(ctx)); err != nil {
		return r.state, fmt.Errorf("read words: %w", err)
	}
	return r.state, nil
}

// reading is one pass over a library.
type reading struct {
	library index.Library
	words   Words
	options Options
	state   Progress
	read    []page // and not written yet
	began   time.Time
}

// page is a picture and what it says; ocr is nil for one that could not be read.
type page struct {
	id      index.ID
	hash    index.Hash
	picture *pixels.Image
	width   int
	height  int
	ocr     *index.OCR
}

// run reads what is to be read, and writes what it has read however it ends.
func (r *reading) run(ctx context.Context) error {
	unread, err := r.unread(ctx)
	if err != nil {
		return err
	}
	decoding, stop := context.WithCancel(ctx)
	defer stop()
	decoded := make(chan page) // one is decoded while another is read
	failed := make(chan error, 1)
	go func() {
		defer close(decoded)
		failed <- r.decode(decoding, unread, decoded)
	}()
	for one := range decoded {
		if err = r.readOne(ctx, one); err != nil {
			break
		}
	}
	stop()
	for range decoded { // what is decoded still
	}
	if decodeErr := <-failed; err == nil {
		err = decodeErr
	}
	return errors.Join(err, r.write(context.WithoutCancel(ctx)))
}

// unread lists the pictures that are to be read.
func (r *reading) unread(ctx context.Context) (ids []index.ID, err error) {
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	for record, err := range reader.All(ctx) {
		if err != nil {
			return nil, err
		}
		if record.Kind != index.KindImage {
			continue
		}
		r.state.Pictures++
		if record.OCR == nil && record.Sequence > r.options.Since || record.OCR != nil && r.options.Again && record.OCR.Model != r.words.Model() {
			ids = append(ids, record.ID)
		} else {
			r.state.Before++
		}
	}
	return ids, nil
}

// decode decodes pictures one after the other. Those that are gone are left out, those that cannot be decoded have no picture.
func (r *reading) decode(ctx context.Context, ids []index.ID, to chan<- page) error {
	for len(ids) > 0 {
		some := ids[:min(batchSize, len(ids))]
		ids = ids[len(some):]
		if err := r.decodeSome(ctx, some, to); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) decodeSome(ctx context.Context, ids []index.ID, to chan<- page) error {
	reader, err := r.library.Reader(ctx) // of its own, so that nothing old is kept for hours
	if err != nil {
		return err
	}
	defer reader.Close()
	records, err := reader.Records(ctx, ids)
	if err != nil {
		return err
	}
	for i, record := range records {
		one := page{id: ids[i]}
		if record != nil {
			one.hash, one.width, one.height = record.Hash, record.Width, record.Height
			if one.picture, err = pictures.Read(ctx, reader, r.options.Decoder, ids[i]); err != nil && ctx.Err() == nil {
				r.options.Logger.Warn("cannot read a picture", "record", ids[i], "error", err)
			}
		}
		select {
		case to <- one:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// readOne reads a picture, and writes when enough has been read.
func (r *reading) readOne(ctx context.Context, one page) error {
	if r.options.Turns != nil {
		leave, err := r.options.Turns.Enter(ctx)
		if err != nil {
			return err
		}
		defer leave()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.state.Done++
	switch lines, err := r.lines(ctx, one.picture); {
	case ctx.Err() != nil:
		r.state.Done--
		return ctx.Err()
	case err != nil:
		r.state.Failed++
		r.options.Logger.Warn("cannot read the words in a picture", "record", one.id, "error", err)
	case one.picture == nil:
		r.state.Failed++
	default:
		one.ocr = ocrOf(r.words.Model(), lines, one)
		one.picture = nil
		r.read = append(r.read, one)
		if r.state.Lines += len(one.ocr.Lines); len(one.ocr.Lines) > 0 {
			r.state.Worded++
		}
	}
	if len(r.read) >= batchSize || time.Since(r.began) >= batchTime {
		if err := r.write(ctx); err != nil {
			return err
		}
	}
	if r.options.Progress != nil {
		r.options.Progress(r.state)
	}
	return nil
}

// lines reads a picture; none for nil. A panic is the failure of this one.
func (r *reading) lines(ctx context.Context, picture *pixels.Image) (lines []ocr.Line, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("reading it panicked: %v", reason)
		}
	}()
	if picture == nil {
		return nil, nil
	}
	return r.words.Read(ctx, picture)
}

// ocrOf gives lines in pixels of the record's size, as many as the library keeps.
func ocrOf(model string, lines []ocr.Line, one page) *index.OCR {
	read := index.OCR{Model: model, Lines: make([]index.OCRLine, 0, len(lines))}
	for _, line := range lines {
		kept := index.OCRLine{Text: line.Text, Score: float32(min(max(line.Score, 0), 1))}
		for i, corner := range line.Corners {
			kept.Corners[i] = index.Pixel{
				X: scaled(corner.X, one.width, one.picture.Width), Y: scaled(corner.Y, one.height, one.picture.Height),
			}
		}
		read.Lines = append(read.Lines, kept)
	}
	read = read.Bounded()
	return &read
}

// scaled brings a coordinate in a side of pixels to one of another length; 0 is not known.
func scaled(at float64, to, from int) int {
	if to > 0 && from > 0 {
		at *= float64(to) / float64(from)
	} else {
		to = from
	}
	return int(min(max(math.Round(at), 0), float64(to)))
}

// write keeps what has been read of pictures that are there still, as they were read.
func (r *reading) write(ctx context.Context) error {
	pages := r.read
	r.read, r.began = nil, time.Now()
	if len(pages) == 0 {
		return nil
	}
	batch, err := r.batch(ctx, pages)
	if err == nil && len(batch.OCR) > 0 {
		_, err = r.library.Write(ctx, batch)
	}
	if !errors.Is(err, index.ErrNotFound) {
		return err
	}
	for i := range pages { // one went between the look and the writing
		if batch, err = r.batch(ctx, pages[i:i+1]); err == nil && len(batch.OCR) > 0 {
			_, err = r.library.Write(ctx, batch)
		}
		if err != nil && !errors.Is(err, index.ErrNotFound) {
			return err
		}
	}
	return nil
}

// batch are the changes of the pages whose pictures the library has.
func (r *reading) batch(ctx context.Context, pages []page) (batch index.Batch, err error) {
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return batch, err
	}
	defer reader.Close()
	ids := make([]index.ID, len(pages))
	for i, one := range pages {
		ids[i] = one.id
	}
	records, err := reader.Records(ctx, ids)
	if err != nil {
		return batch, err
	}
	for i, record := range records {
		if record != nil && record.Hash == pages[i].hash {
			batch.OCR = append(batch.OCR, index.OCRChange{ID: record.ID, OCR: pages[i].ocr})
		}
	}
	return batch, nil
}
