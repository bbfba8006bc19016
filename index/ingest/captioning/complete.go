package captioning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/pictures"
)

// undescribed is a picture without captions.
type undescribed struct {
	id   index.ID
	hash index.Hash
	used time.Time // zero where it is not known
	date time.Time
}

// described is a batch of pictures on its way from the library through the model and back.
type described struct {
	all      []undescribed // those that were looked at, the unreadable ones included
	readable []undescribed
	pictures []*pixels.Image
	tokens   []embed.ImageTokens
	captions [][]index.Caption
	failed   int
}

// complete writes captions of the pictures that have none. The next batch is read and the last one written while the model
// describes one.
func (c *recaption) complete(ctx context.Context) error {
	if !c.describer.byLanguage() && !c.engine.Capabilities().Caption {
		return nil
	}
	path := ""
	if derived, ok := c.library.(interface{ DerivedFolder() string }); ok {
		path = filepath.Join(derived.DerivedFolder(), passedName)
	}
	var err error
	if c.passed, err = openPassed(path, c.describer); err != nil {
		return err
	}
	leave, err := c.join(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for settled := false; ; {
		waiting, others, err := c.undescribed(ctx)
		switch {
		case err != nil:
			return err
		case len(waiting) > 0:
			settled = false
			if err := c.completeSome(ctx, waiting); err != nil || c.crew == nil {
				return err
			}
		case others == 0 || settled:
			return nil
		default:
			if err := c.crew.Settle(ctx); err != nil {
				return err
			}
			settled = true // what falls to this process now was left by one that is gone
		}
	}
}

// completeSome writes the captions of pictures.
func (c *recaption) completeSome(ctx context.Context, waiting []undescribed) error {
	c.state.Pictures += len(waiting)
	c.tell()
	group, stages := errgroup.WithContext(ctx)
	stages, stop := context.WithCancel(stages)
	defer stop()
	read, written := make(chan *described, 1), make(chan *described, 1)
	group.Go(func() error {
		defer close(read)
		for some := range slices.Chunk(waiting, recaptionBatch) {
			batch, err := c.prepare(stages, some)
			if err != nil {
				return err
			}
			select {
			case read <- batch:
			case <-stages.Done():
				return stages.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		defer close(written)
		for batch := range read {
			if err := c.describe(stages, batch); err != nil {
				return err
			}
			written <- batch // there is always somebody who takes it
		}
		return stages.Err()
	})
	var lost error
	group.Go(func() error {
		lost = c.keepAll(context.WithoutCancel(ctx), written, stop)
		return lost
	})
	err := group.Wait()
	if lost != nil {
		return lost // it ended the others
	}
	return err
}

// keepAll writes what the model has done, many pictures in one commit. When the others have ended early it writes the last
// ones too, so its context does not end. Where it cannot write it stops the others: what the model writes would be lost.
func (c *recaption) keepAll(ctx context.Context, written <-chan *described, stop func()) (err error) {
	var waiting described
	since := time.Now()
	for batch := range written {
		if err != nil {
			continue // somebody has to take it
		}
		waiting.readable = append(waiting.readable, batch.readable...)
		waiting.captions = append(waiting.captions, batch.captions...)
		c.state.Done += len(batch.all)
		c.state.Failed += batch.failed
		if len(waiting.readable) >= missingCommit || time.Since(since) > missingDelay {
			err, waiting, since = c.keep(ctx, &waiting), described{}, time.Now()
		}
		if err != nil {
			stop()
		}
		c.tell()
	}
	if err == nil {
		err = c.keep(ctx, &waiting)
		c.tell()
	}
	return err
}

// undescribed lists the pictures without captions that this process has not looked at, in the order in which they get them, and
// counts those that fall to others.
func (c *recaption) undescribed(ctx context.Context) (waiting []undescribed, others int, err error) {
	reader, err := c.library.Reader(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer reader.Close()
	for record, err := range reader.All(ctx) {
		if err != nil {
			return nil, 0, err
		}
		if record.Kind != index.KindImage || len(record.Captions) > 0 || record.InTrash() || c.passed.has(record.Hash) || !c.options.Shard.Has(record.Path()) ||
			len(c.options.Below) > 0 && !slices.ContainsFunc(record.Files, c.isBelow) {
			continue
		}
		if c.seen[record.Hash] {
			continue
		}
		if !c.mine(record.Hash) {
			others++
			continue
		}
		date := record.Metadata.Taken
		if date.IsZero() {
			date = record.Modified()
		}
		waiting = append(waiting, undescribed{record.ID, record.Hash, c.options.LastUsed[record.Hash], date})
	}
	slices.SortFunc(waiting, func(a, b undescribed) int {
		return cmp.Or(b.used.Compare(a.used), b.date.Compare(a.date), cmp.Compare(b.id, a.id))
	})
	return waiting, others, nil
}

// isBelow reports whether a file is one of the paths that captions are wanted for, or below one.
func (c *recaption) isBelow(file index.File) bool {
	return slices.ContainsFunc(c.options.Below, func(path string) bool {
		relative, err := filepath.Rel(path, file.Path)
		return err == nil && filepath.IsLocal(relative)
	})
}

// prepare reads the tokens of pictures, and their pixels where the writer needs them.
func (c *recaption) prepare(ctx context.Context, some []undescribed) (*described, error) {
	reader, err := c.library.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	ids := make([]index.ID, len(some))
	for i := range some {
		ids[i] = some[i].id
	}
	records, err := reader.Records(ctx, ids)
	if err != nil {
		return nil, err
	}
	kept := make([]embed.ImageTokens, len(ids))
	if space, some := reader.Space(); some && space == c.engine.Space() {
		if kept, err = reader.Tokens(ctx, ids); err != nil {
			return nil, fmt.Errorf("read image tokens: %w", err)
		}
	}
	batch := &described{all: some}
	for i, own := range some {
		if records[i] == nil || records[i].Hash != own.hash || len(records[i].Captions) > 0 || !c.mine(own.hash) {
			continue // gone, changed or described meanwhile, or left to somebody who has come
		}
		if c.crew != nil {
			c.seen[own.hash] = true
		}
		picture, tokens, err := readPicture(ctx, reader, c.engine, c.options.Decoder, own.id, kept[i], c.pixels)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			c.options.Logger.Warn("a picture cannot be read to be described", "record", own.id, "error", err)
			if !maybeLater(err) {
				c.passed.add(own.hash)
			}
			batch.failed++
			continue
		}
		batch.readable = append(batch.readable, own)
		batch.pictures, batch.tokens = append(batch.pictures, picture), append(batch.tokens, tokens)
	}
	return batch, nil
}

// describe has the model write captions. A batch that it fails on is described one by one, and a picture that it fails on
// is left out; if it fails on several in a row, that is the model's fault.
func (c *recaption) describe(ctx context.Context, batch *described) error {
	if len(batch.readable) == 0 {
		return nil
	}
	start := time.Now()
	defer func() {
		if c.options.Model != nil {
			c.options.Model(start, time.Now())
		}
	}()
	captions, err := c.describer.Describe(ctx, batch.pictures, batch.tokens)
	if err == nil || ctx.Err() != nil {
		if err == nil {
			c.modelWorks()
		}
		batch.captions = captions
		return errors.Join(err, ctx.Err())
	}
	one := *batch
	batch.readable = nil
	for i, own := range one.readable {
		captions, err := c.describer.Describe(ctx, one.pictures[i:i+1], one.tokens[i:i+1])
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if c.refused++; c.refused >= modelFailures {
				return fmt.Errorf("write captions: %w", err)
			}
			c.options.Logger.Warn("a picture cannot be described", "record", own.id, "error", err)
			c.doubted = append(c.doubted, own.hash)
			batch.failed++
			continue
		}
		c.modelWorks()
		batch.readable, batch.captions = append(batch.readable, own), append(batch.captions, captions...)
	}
	return nil
}

// modelWorks notes that the model has described a picture: those before it that it failed on are themselves the reason, and
// are not described again.
func (c *recaption) modelWorks() {
	for _, hash := range c.doubted {
		c.passed.add(hash)
	}
	c.refused, c.doubted = 0, nil
}

// keep gives captions to the pictures that are as they were, and have none yet.
func (c *recaption) keep(ctx context.Context, batch *described) error {
	if batch.captions == nil {
		return nil
	}
	reader, err := c.library.Reader(ctx)
	if err != nil {
		return err
	}
	ids := make([]index.ID, len(batch.readable))
	for i := range ids {
		ids[i] = batch.readable[i].id
	}
	records, err := reader.Records(ctx, ids)
	if err = errors.Join(err, reader.Close()); err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	var changes index.Batch
	for i, own := range batch.readable {
		switch record := records[i]; {
		case record == nil || record.Hash != own.hash || len(record.Captions) > 0:
		case len(batch.captions[i]) == 0:
			c.passed.add(own.hash)
			c.state.Rejected++
		default:
			c.state.Described++
			changes.Captions = append(changes.Captions, index.CaptionChange{ID: own.id, Captions: batch.captions[i]})
		}
	}
	if len(changes.Captions) == 0 {
		return nil
	}
	_, err = c.library.Write(ctx, changes)
	return err
}

// maybeLater reports whether a picture that could not be read may be readable another time: its drive is away, or the system
// refuses it today.
func maybeLater(err error) bool {
	refused := (*fs.PathError)(nil)
	return errors.Is(err, pictures.ErrNoOriginal) || errors.As(err, &refused)
}

// readPicture gives the image tokens of a picture, those that are kept if there are any, and its pixels where they are
// needed.
func readPicture(ctx context.Context, reader index.Reader, engine Engine, decoder *pixels.Decoder, id index.ID, kept embed.ImageTokens, needsPixels bool) (*pixels.Image, embed.ImageTokens, error) {
	if kept.Rows > 0 && !needsPixels {
		return nil, kept, nil
	}
	picture, err := pictures.Read(ctx, reader, decoder, id)
	if err != nil || kept.Rows > 0 {
		return picture, kept, err
	}
	tokens, err := pictures.Tokens(ctx, engine, picture)
	if err != nil || !needsPixels { // a batch of pictures takes much memory, and nobody needs this one's any more
		picture = nil
	}
	return picture, tokens, err
}
