package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest/captioning"
	"mekiki/index/ingest/drives"
	"mekiki/index/ingest/report"
)

// collector runs the model over what was decoded and commits the results.
type collector struct {
	run *run
	// waiting go through the model together.
	waiting []fileResult
	batch   index.Batch
	// pending are the contents of the batch that is not committed yet, by
	// their place in Puts; known are those that belong to a record.
	pending map[index.Hash]int
	since   time.Time
	changes int
	added   int
	// doubted are the images that the model failed on in a row: their failures, unless it is found to be its own.
	doubted []fileResult
	// committing gives the error of the commit that goes on while the model works; nil while none does.
	committing chan error
}

// collect is the last stage of the pipeline. When the context ends it commits
// what the model has done already.
func (r *run) collect(ctx context.Context, decoded <-chan fileResult) error {
	c := &collector{run: r, pending: map[index.Hash]int{}}
	timer := time.NewTicker(max(r.options.BatchDelay/4, time.Millisecond))
	defer timer.Stop()
	for {
		select {
		case result, open := <-decoded:
			if !open {
				return c.finish(ctx)
			}
			if err := c.take(ctx, result); err != nil {
				return errors.Join(err, c.commitWhenInterrupted(ctx))
			}
		case <-timer.C:
			if c.changes > 0 && time.Since(c.since) >= r.options.BatchDelay {
				if err := c.beginCommit(ctx); err != nil {
					return errors.Join(err, c.commitWhenInterrupted(ctx))
				}
			}
		}
	}
}

func (c *collector) finish(ctx context.Context) error {
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), c.commitWhenInterrupted(ctx))
	}
	if err := c.embed(ctx); err != nil {
		return errors.Join(err, c.commitWhenInterrupted(ctx))
	}
	c.failDoubted()
	return c.commit(ctx)
}

// commitWhenInterrupted keeps what the model has done. Its own failure is
// logged, lest it hides behind the interruption.
func (c *collector) commitWhenInterrupted(ctx context.Context) error {
	err := c.commit(context.WithoutCancel(ctx))
	if err != nil {
		c.run.options.Logger.Error("commit the last images", "error", err)
	}
	return err
}

func (c *collector) take(ctx context.Context, result fileResult) error {
	switch {
	case result.failure != nil && result.seen.wants != wantAll:
		// It holds what it held: nothing is lost, and the next run tries again.
		c.run.options.Logger.Warn("what the file says about itself cannot be read again", "file", result.file.Path, "error", result.failure)
		c.run.progress.Unchanged(result.file.Path)
	case result.failure != nil:
		c.fail(&result, result.file)
	case result.purged:
		return c.passOver(ctx, result.file.Path)
	case result.prepared:
		if at, same := c.pending[result.hash]; same {
			c.attachPending(at, result)
			break
		}
		c.add(&result, result.put)
	case result.image == nil:
		c.attach(&result)
	default:
		if at, same := c.pending[result.hash]; same {
			c.attachPending(at, result)
			break
		}
		at := slices.IndexFunc(c.waiting, func(other fileResult) bool { return other.hash == result.hash })
		if at >= 0 {
			c.waiting[at].put.Record.Files = append(c.waiting[at].put.Record.Files, result.file)
			describeLater(&c.waiting[at].put.Record, result.file)
			break
		}
		c.waiting = append(c.waiting, result)
	}
	if len(c.waiting) >= c.run.options.ModelBatch {
		if err := c.embed(ctx); err != nil {
			return err
		}
	}
	if c.changes >= c.run.options.BatchSize {
		return c.beginCommit(ctx)
	}
	return nil
}

// passOver leaves out a file whose picture a person removed for good, and takes its path from the record that had it.
func (c *collector) passOver(ctx context.Context, path string) error {
	c.run.progress.Purged(path)
	owner, err := c.run.ownerOf(ctx, path)
	if err == nil && owner != 0 {
		c.batch.Detach = append(c.batch.Detach, path)
		c.change()
	}
	return err
}

// attach gives a record a file that holds its content, and what is said of it now.
func (c *collector) attach(result *fileResult) {
	c.batch.Attach = append(c.batch.Attach, index.Attach{ID: result.known, File: result.file})
	if result.described != nil {
		c.batch.Metadata = append(c.batch.Metadata, *result.described)
	}
	c.change()
	switch result.seen.wants {
	case wantMetadata:
		c.run.progress.Reread(result.file.Path, result.seen.older)
	case wantStamp:
		c.run.progress.Unchanged(result.file.Path)
	default:
		c.run.moved[result.known] = true
		c.run.progress.Attach(result.file.Path)
	}
}

func (c *collector) change() {
	if c.changes == 0 {
		c.since = time.Now()
	}
	c.changes++
}

// attachPending adds a file to an image of the batch.
func (c *collector) attachPending(at int, result fileResult) {
	record := &c.batch.Puts[at].Record
	record.Files = append(record.Files, result.file)
	describeLater(record, result.file)
	c.change()
	c.run.progress.Attach(result.file.Path)
}

// describeLater has the next run read what is said of a record again, if more is said
// beside a further file of it.
func describeLater(record *index.Record, further index.File) {
	if further.Sidecars != 0 {
		record.MetadataVersion = 0
	}
}

// fail keeps a file's failure, and takes the file from the record it was of. What
// people gave the content that it replaces waits for the file to be readable.
func (c *collector) fail(result *fileResult, file index.File) {
	failure := index.Failure{File: file, Hash: result.hash, Reason: report.ReasonOf(result.failure), Time: time.Now().UTC(), Replaced: result.seen.replaces}
	c.run.progress.Fail(failure)
	switch {
	case result.seen.stored != 0: // the record keeps its name: it may be back, and an upload has no other
		return
	case result.known != 0: // a record has this content, for another model: the next run tries again
		c.batch.Attach = append(c.batch.Attach, index.Attach{ID: result.known, File: file})
		c.change()
		return
	}
	if refused := (*fs.PathError)(nil); errors.Is(result.failure, drives.ErrChanging) || errors.As(result.failure, &refused) {
		// What the system refuses today it may give tomorrow, and the file
		// does not tell of it: never the same, so tried again.
		failure.File.Modified = time.Time{}
	}
	c.batch.Detach = append(c.batch.Detach, file.Path)
	c.batch.Failures = append(c.batch.Failures, failure)
	c.change()
}

// embed runs the model over the waiting images. An image that it cannot take
// is a failure of that image; the model failing on all of them is the run's.
func (c *collector) embed(ctx context.Context) error {
	waiting := c.waiting
	c.waiting = nil
	if len(waiting) == 0 {
		return nil
	}
	c.run.progress.Opening(!c.run.opened)
	puts, err := c.run.embedAll(ctx, waiting)
	c.run.opened = true
	c.run.progress.Opening(false)
	if err == nil {
		c.failDoubted()
		for i := range waiting {
			c.add(&waiting[i], puts[i])
		}
		return nil
	}
	for i := range waiting {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		puts, err := c.run.embedAll(ctx, waiting[i:i+1])
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			waiting[i].image, waiting[i].failure = nil, fmt.Errorf("the model cannot read it: %w", err)
			if c.doubted = append(c.doubted, waiting[i]); len(c.doubted) >= modelFailures {
				c.doubted = nil
				return fmt.Errorf("%w: %w", ErrModel, err)
			}
			continue
		}
		c.failDoubted()
		c.add(&waiting[i], puts[0])
	}
	return nil
}

// failDoubted keeps the failures of the images that the model failed on, as it works on others.
func (c *collector) failDoubted() {
	for i := range c.doubted {
		for _, file := range c.doubted[i].put.Record.Files {
			c.fail(&c.doubted[i], file)
		}
	}
	c.doubted = nil
}

// add puts an embedded image into the batch.
func (c *collector) add(result *fileResult, put index.Put) {
	c.change()
	if result.known != 0 {
		put.Vectors.ID = result.known
		c.batch.Vectors = append(c.batch.Vectors, put.Vectors)
		if len(put.Record.Captions) > 0 {
			c.batch.Captions = append(c.batch.Captions, index.CaptionChange{ID: result.known, Captions: put.Record.Captions})
		}
		for _, file := range put.Record.Files {
			c.batch.Attach = append(c.batch.Attach, index.Attach{ID: result.known, File: file})
		}
		if result.described != nil {
			c.batch.Metadata = append(c.batch.Metadata, *result.described)
		}
	} else {
		if replaces := put.Replaces; !replaces.IsZero() && !c.run.replaced[replaces] {
			// The library knows best what people gave the record by now. Only the
			// copies of it that come after have to bring that along.
			c.run.replaced[replaces], put.Record.Tags = true, nil
		}
		c.pending[result.hash] = len(c.batch.Puts)
		c.batch.Puts = append(c.batch.Puts, put)
	}
	c.added++
	if put.Record.Damage != "" {
		c.run.progress.Damaged()
	}
	if put.Replaces.IsZero() {
		c.run.progress.Add(result.file.Path)
	} else {
		c.run.progress.Changed(result.file.Path)
	}
	for _, file := range put.Record.Files[1:] {
		c.run.progress.Attach(file.Path)
	}
}

// commit makes the batch durable, and the one before it. One that cannot be written is not tried again.
func (c *collector) commit(ctx context.Context) error {
	return errors.Join(c.beginCommit(ctx), c.endCommit())
}

// beginCommit begins to make the batch durable, once the one before it is, so that the model need not wait for the disk.
func (c *collector) beginCommit(ctx context.Context) error {
	if err := c.endCommit(); err != nil || c.changes == 0 {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // to be written when the interruption is seen to
	}
	ctx = context.WithoutCancel(ctx)
	batch, added, done := c.batch, c.added, make(chan error, 1)
	c.batch, c.changes, c.added, c.committing = index.Batch{}, 0, 0, done
	clear(c.pending)
	go func() {
		err := c.run.dropStale(ctx, &batch)
		if err == nil {
			c.run.nameFiles(&batch)
			_, err = c.run.library.Write(ctx, batch)
		}
		if err == nil {
			c.run.progress.Commit(added)
		}
		done <- err
	}()
	return nil
}

// endCommit waits for the commit that was begun.
func (c *collector) endCommit() error {
	if c.committing == nil {
		return nil
	}
	err := <-c.committing
	if c.committing = nil; err != nil {
		// What came after it would fail as well, and hide why.
		c.batch, c.changes, c.added = index.Batch{}, 0, 0
	}
	return err
}

// nameFiles gives files the names that they came with, and those that lie elsewhere for good the paths there.
func (r *run) nameFiles(batch *index.Batch) {
	names := r.options.Names
	if len(names)+len(r.options.Stored) == 0 {
		return
	}
	give := func(file *index.File) {
		if name, named := names[file.Path]; named {
			file.Name = name
		}
		if path, stored := r.options.Stored[file.Path]; stored {
			*file = file.MovedTo(path)
		}
	}
	for i := range batch.Puts {
		for j := range batch.Puts[i].Record.Files {
			give(&batch.Puts[i].Record.Files[j])
		}
	}
	for i := range batch.Attach {
		give(&batch.Attach[i].File)
	}
}

// dropStale leaves out what is about records that were removed meanwhile; the
// files are looked at again in the next run.
func (r *run) dropStale(ctx context.Context, batch *index.Batch) error {
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	ids := map[index.ID]bool{}
	for _, a := range batch.Attach {
		ids[a.ID] = true
	}
	for _, v := range batch.Vectors {
		ids[v.ID] = true
	}
	for _, m := range batch.Metadata {
		ids[m.ID] = true
	}
	for _, v := range batch.Captions {
		ids[v.ID] = true
	}
	asked := slices.Collect(maps.Keys(ids))
	records, err := reader.Records(ctx, asked)
	if err != nil {
		return err
	}
	for i, record := range records {
		ids[asked[i]] = record != nil
	}
	gone := func(id index.ID) bool { return !ids[id] }
	batch.Attach = slices.DeleteFunc(batch.Attach, func(a index.Attach) bool { return gone(a.ID) })
	batch.Vectors = slices.DeleteFunc(batch.Vectors, func(v index.Vectors) bool { return gone(v.ID) })
	batch.Metadata = slices.DeleteFunc(batch.Metadata, func(m index.MetadataChange) bool { return gone(m.ID) })
	batch.Captions = slices.DeleteFunc(batch.Captions, func(v index.CaptionChange) bool { return gone(v.ID) })
	return nil
}

// embedAll gives each image's record its vectors, tokens and captions.
func (r *run) embedAll(ctx context.Context, images []fileResult) ([]index.Put, error) {
	pictures := make([]*pixels.Image, len(images))
	for i := range images {
		pictures[i] = images[i].image
	}
	start := time.Now()
	defer func() { r.progress.Model(start, time.Now()) }()
	tokens, err := r.engine.ImageTokens(ctx, pictures)
	if err != nil {
		return nil, err
	}
	parts, err := r.engine.ImageParts(ctx, tokens)
	if err != nil {
		return nil, err
	}
	captions, err := r.captions(ctx, pictures, tokens)
	if err != nil {
		return nil, err
	}
	puts := make([]index.Put, len(images))
	for i := range images {
		puts[i] = images[i].put
		puts[i].Vectors = index.Vectors{Space: r.engine.Space(), Parts: parts[i]}
		if !r.options.NoTokens {
			if puts[i].Vectors.Tokens, err = embed.Pack(tokens[i], r.options.Packing); err != nil {
				return nil, err
			}
		}
		if captions != nil {
			puts[i].Record.Captions = captions[i]
		}
	}
	return puts, nil
}

// captions writes the captions of a run's pictures; nil where none are wanted.
func (r *run) captions(ctx context.Context, pictures []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error) {
	if r.options.Captions < 0 || r.captionsLater() {
		return nil, nil
	}
	d := captioning.Describer{
		Engine: r.engine, Source: r.options.CaptionSource, Writer: r.options.CaptionWriter,
		Candidates: max(r.options.CaptionCandidates, r.options.Captions), Keep: r.options.Captions,
	}
	return d.Describe(ctx, pictures, tokens)
}
