package local

import (
	"context"
	"errors"
	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/internal/segment"
	"mekiki/index/keyword"
	"mekiki/internal/vfs"
	"path/filepath"
)

// derivedFolder holds everything that can be deleted and is then rebuilt.
const derivedFolder = "derived"

// smallLibrary is the number of records up to which a keyword index that was
// not closed in order is built anew, rather than trusted after checking what
// can be checked of it.
const smallLibrary = 20_000

// derived are the indexes that follow the catalog.
type derived struct {
	lookup *lookup
	words  *words
	// reader shows the words of the last commit that they were brought to.
	reader *wordsReader
	thumbs *thumbnails
	// behind says that the keyword index missed a commit and is to be brought
	// up to date with the next.
	behind bool

	// vectors are of the serving space; nil without one.
	vectors *vectorStore
}

// openDerived opens or builds the derived indexes for a state.
func openDerived(ctx context.Context, l *Library, s *state) (*derived, error) {
	d := &derived{lookup: l.lookup, thumbs: newThumbnails(l)}
	if err := d.openWords(ctx, l, s); err != nil {
		return nil, err
	}
	d.vectors = newVectorStore(l, s.serving())
	return d, nil
}

func wordsFolder(l *Library) string { return filepath.Join(l.folder, derivedFolder, "keyword") }

func (d *derived) openWords(ctx context.Context, l *Library, s *state) (err error) {
	var opened *keyword.Index
	folder := wordsFolder(l)
	_, onDisk := l.fsys.(vfs.OS)
	switch {
	case !onDisk:
		opened, err = keyword.OpenMemory()
	case l.readOnly.Load():
		if opened, err = keyword.OpenCopy(folder); err != nil {
			l.logger.Warn("the words of all records are indexed in memory: the keyword index cannot be copied", "records", s.records.count, "why", err)
			opened, err = keyword.OpenMemory()
		}
	default:
		opened, err = openWordsForWriting(l, folder, s)
	}
	if err != nil {
		return err
	}
	d.words = newWords(opened)
	if err := d.catchUpWords(ctx, s); err != nil {
		return errors.Join(err, d.words.Close())
	}
	return nil
}

// bringWords makes a change that brings the words to a commit.
func (d *derived) bringWords(sequence uint64, change func() error) error {
	reader, err := d.words.apply(sequence, change)
	if err != nil {
		return err
	}
	former := d.reader
	d.reader = reader
	if former != nil {
		err = former.release()
	}
	return err
}

func openWordsForWriting(l *Library, folder string, s *state) (*keyword.Index, error) {
	if len(l.findings) == 0 && (keyword.Clean(folder) || s.records.count > smallLibrary) {
		words, err := keyword.Open(folder)
		if err == nil {
			if sequence, err := words.Sequence(); err == nil && sequence <= s.sequence {
				return words, nil
			}
			// It knows commits that the catalog does not: another catalog's.
			err = words.Close()
		}
		l.logger.Warn("rebuild the keyword index", "why", err)
	}
	if err := keyword.Delete(folder); err != nil {
		return nil, err
	}
	return keyword.Create(folder)
}

// catchUpWords brings the keyword index to the state's commit.
func (d *derived) catchUpWords(ctx context.Context, s *state) error {
	err := d.bringWords(s.sequence, func() error { return d.fillWords(ctx, s) })
	if err == nil {
		d.behind = false
	}
	return err
}

// fillWords puts in and takes out what the keyword index has not in common with the
// state.
func (d *derived) fillWords(ctx context.Context, s *state) error {
	sequence, err := d.words.Sequence()
	if err != nil {
		return err
	}
	if sequence == s.sequence && !d.behind {
		return nil
	}
	ids, err := d.words.IDs(ctx)
	if err != nil {
		return err
	}
	var removes []uint64
	known := make(map[uint64]bool, len(ids))
	for _, id := range ids {
		known[id] = true
		if !s.records.has(index.ID(id)) {
			removes = append(removes, id)
		}
	}
	var puts []keyword.Document
	flush := func(last bool) error {
		number := uint64(0) // an unfinished filling must not look finished
		if last {
			number = s.sequence
		}
		err := d.words.Apply(ctx, number, puts, removes)
		puts, removes = puts[:0], nil
		return err
	}
	for id, record := range s.records.all() {
		if record.Sequence <= sequence && known[uint64(id)] {
			continue
		}
		if puts = append(puts, documentOf(record)); len(puts) == 2000 {
			if err := flush(false); err != nil {
				return err
			}
		}
	}
	return flush(true)
}

// readVectors reads and checks a record's vectors.
func readVectors(segments segmentSet, from *space, record *index.Record, l location) (embed.Parts, error) {
	parts, err := readVectorsAgain(segments, from, record.ID, l)
	if err == nil {
		err = checkParts(parts, from.space, record.Kind)
	}
	return parts, err
}

// readVectorsAgain reads vectors that were checked when they went into an index:
// the block's checksum says that they are the same.
func readVectorsAgain(segments segmentSet, from *space, id index.ID, l location) (embed.Parts, error) {
	payload, err := segments.read(segmentKey{from.number, segment.Vectors, l.vectors.segment}, id, l.vectors)
	if err != nil {
		return embed.Parts{}, err
	}
	return decodeVectors(payload)
}

// applyWords brings the keyword index from one state to the next. It never fails
// a commit, which is durable by now: what cannot be applied is caught up later.
func (d *derived) applyWords(ctx context.Context, l *Library, t *transaction, next *state) {
	ctx = context.WithoutCancel(ctx)
	var err error
	if d.behind {
		err = d.catchUpWords(ctx, next)
	} else {
		var puts []keyword.Document
		var removes []uint64
		for id := range t.touched {
			if record, there := next.record(id); there {
				puts = append(puts, documentOf(record))
			} else {
				removes = append(removes, uint64(id))
			}
		}
		err = d.bringWords(next.sequence, func() error { return d.words.Apply(ctx, next.sequence, puts, removes) })
	}
	if err != nil {
		d.behind = true
		l.logger.Error("the keyword index is behind until the next commit", "error", err)
	}
}

// release lets go of the keyword index, which is closed when no view uses it.
func (d *derived) release() error { return errors.Join(d.reader.release(), d.words.release()) }

// close closes the keyword index, whoever still uses it.
func (d *derived) close() error {
	if d.words == nil {
		return nil
	}
	return d.words.Close()
}
