package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/uploaded"
	"mekiki/index/limits"
	"mekiki/index/local/segment"
)

// put adds a record, or what is new of it to the record with its content. It reports
// whether an image was replaced, see [index.Put.Replaces].
func (p *plan) put(ctx context.Context, put *index.Put) (id index.ID, replaced bool, err error) {
	if err := limits.Check(&put.Record); err != nil {
		return 0, false, err
	}
	record := put.Record
	record.Tags = index.ChangeWords(nil, record.Tags, nil)
	if !p.imports {
		record.Given, record.Added = nil, p.library.clock().UTC()
	}
	files := record.Files
	record.Files = nil
	for _, file := range files {
		if !uploaded.Holds(filepath.Clean(file.Path)) {
			return 0, false, fmt.Errorf("file %s: the path must be absolute", file.Path)
		}
	}
	if id = p.byHash[record.Hash]; id != 0 {
		if err := p.merge(id, &record); err != nil {
			return 0, false, err
		}
		if files, err = p.withoutCopies(ctx, id, files); err != nil {
			return 0, false, err
		}
	} else if id, replaced, err = p.add(ctx, &record, put); err != nil {
		return 0, false, err
	}
	for _, file := range files {
		if err := p.attach(index.Attach{ID: id, File: file}); err != nil {
			return 0, false, err
		}
	}
	if len(put.Vectors.Parts.Values) > 0 {
		if err := p.putVectors(id, &put.Vectors, false); err != nil {
			return 0, false, err
		}
	}
	if len(put.Thumbnail) > 0 {
		p.putThumbnail(p.records[id], put.Thumbnail)
	}
	return id, replaced, nil
}

// add adds a record of a content that the library does not have.
func (p *plan) add(ctx context.Context, record *index.Record, put *index.Put) (id index.ID, replaced bool, err error) {
	if err := p.restore(ctx, record, record.Hash); err != nil {
		return 0, false, err
	}
	old := p.predecessor(put)
	if old != nil {
		id, replaced = old.ID, record.Kind == index.KindImage
		record.Added, record.Tags, record.Given = old.Added, index.ChangeWords(old.Tags, record.Tags, nil), old.Given.Merge(record.Given)
	}
	if err := p.restore(ctx, record, put.Replaces); err != nil {
		return 0, false, err
	}
	if old != nil {
		p.dropContent(old)
		delete(p.byHash, old.Hash)
		for _, path := range old.Paths() {
			delete(p.byPath, path)
		}
		record.ID = id
		old.Record, old.dirty, old.publish = &form.Record{Record: *record, Spaces: map[int]form.Vectors{}}, true, true
	} else {
		if id, err = p.newID(ctx, record.Hash); err != nil {
			return 0, false, err
		}
		record.ID = id
		p.records[id] = &entry{Record: &form.Record{Record: *record, Spaces: map[int]form.Vectors{}}, dirty: true, publish: true, fresh: true}
	}
	p.byHash[record.Hash] = id
	if record.ExternalID != "" {
		p.byText[record.ExternalID] = id
	}
	claimed := p.claims[record.Hash]
	if claimed == nil {
		claimed = &claim{}
		p.claims[record.Hash] = claimed
	}
	claimed.ID, claimed.write = id, true // also where it has this ID: who gives the content up meanwhile deletes the record's object
	return id, replaced, nil
}

// putThumbnail stages a record's thumbnail, in place of one that it may have.
func (p *plan) putThumbnail(e *entry, jpeg []byte) {
	if e.Thumbnail == "" {
		changed := *e.Record
		changed.Thumbnail = p.mark
		e.Record, e.dirty, e.publish = &changed, true, true
	}
	p.blobs[form.ThumbnailKey(e.Record)] = jpeg
}

// newID gives the ID of a new record: that which was claimed for the content by whoever did
// not come to write the record, or else one that was never given.
func (p *plan) newID(ctx context.Context, hash index.Hash) (index.ID, error) {
	if claimed := p.claims[hash]; claimed != nil && claimed.tag != "" && claimed.ID != 0 && p.records[claimed.ID] == nil {
		return claimed.ID, nil
	}
	return p.library.takeID(ctx)
}

// predecessor gives the record that a put takes the place of, or nil: the text with its
// external ID, or the image that its files held before.
func (p *plan) predecessor(put *index.Put) *entry {
	if put.Record.ExternalID != "" {
		if e, there := p.get(p.byText[put.Record.ExternalID]); there {
			return e
		}
	}
	if put.Replaces.IsZero() {
		return nil
	}
	if e, there := p.get(p.byHash[put.Replaces]); there && e.Kind == put.Record.Kind && e.Gone == "" {
		return e
	}
	return nil
}

// merge adds to an existing record what a new one with its content says more. Its object in
// the engine is written in any case: whoever wrote the record may not have come to that.
func (p *plan) merge(id index.ID, added *index.Record) error {
	e := p.records[id]
	e.publish = true
	tags := index.ChangeWords(e.Tags, added.Tags, nil)
	captions := len(e.Captions) == 0 && len(added.Captions) > 0
	if slices.Equal(tags, e.Tags) && !captions {
		return nil
	}
	return p.edit(id, func(r *index.Record) {
		r.Tags = tags
		if captions {
			r.Captions = slices.Clone(added.Captions)
		}
	})
}

// withoutCopies leaves out uploads of a record's content of which it has another one, and has their objects deleted. The record
// is written all the same: whoever removes it, and what it has, at the same time is told.
func (p *plan) withoutCopies(ctx context.Context, id index.ID, files []index.File) ([]index.File, error) {
	e, there := p.get(id)
	if !there {
		return files, nil
	}
	left, copies, err := uploaded.WithoutCopies(ctx, p.library.store, &e.Record.Record, files)
	if len(copies) > 0 {
		p.obsolete, e.dirty, e.publish = append(p.obsolete, copies...), true, true
	}
	return left, err
}

// restore gives a record what is kept of a content.
func (p *plan) restore(ctx context.Context, r *index.Record, hash index.Hash) error {
	if hash.IsZero() {
		return nil
	}
	prefix := form.KeptPrefix + hash.String() + "-"
	var found *index.Kept
	for key, kept := range p.written {
		if strings.HasPrefix(key, prefix) {
			found = &kept
		}
	}
	for key, there := range p.kept {
		if there && found == nil && strings.HasPrefix(key, prefix) {
			kept, read, err := p.readKept(ctx, key)
			if err != nil {
				return err
			}
			if read {
				found = &kept
			} else {
				delete(p.kept, key) // what cannot be read is left as it is
			}
		}
	}
	p.unkeep(func(key string) bool { return strings.HasPrefix(key, prefix) })
	if found != nil && !found.Purged && !found.Expired(p.library.clock()) {
		r.Tags, r.Added = index.ChangeWords(found.Tags, r.Tags, nil), found.Added
		r.Given = r.Given.Merge(found.Given)
	}
	return nil
}

// readKept reads what is kept under a key. False is for what another process has taken
// meanwhile, and for what is damaged, of which the log is told.
func (p *plan) readKept(ctx context.Context, key string) (kept index.Kept, there bool, err error) {
	there, err = p.library.readJSON(ctx, key, &kept)
	return kept, there, err
}

// putVectors stages a record's vectors and tokens in a space. Those that are there stay,
// unless they are to be replaced.
func (p *plan) putVectors(id index.ID, v *index.Vectors, replace bool) error {
	e, there := p.get(id)
	if !there {
		return fmt.Errorf("vectors of record %d: %w", id, index.ErrNotFound)
	}
	space, known := p.state.Of(v.Space)
	if !known {
		return fmt.Errorf("vectors of record %d: %w: the library has no space %s", id, index.ErrSpace, v.Space)
	}
	if _, has := e.Spaces[space.Number]; has && !replace {
		return nil
	}
	if err := segment.CheckParts(v.Parts, v.Space, e.Kind); err != nil {
		return fmt.Errorf("vectors of record %d: %w", id, err)
	}
	if _, has := e.Spaces[space.Number]; has {
		p.dropVectors(e, space.Number)
	}
	payload := segment.EncodeVectors(v.Parts)
	added := form.Vectors{Vectors: form.Name(payload, p.mark), Count: v.Parts.Count}
	key := form.VectorKey(v.Space, e.Hash, added.Vectors)
	p.blobs[key] = payload
	keys := []string{key}
	if len(v.Tokens) > 0 {
		added.Tokens = form.Name(v.Tokens, p.mark)
		key := form.TokenKey(v.Space, e.Hash, added.Tokens)
		p.blobs[key] = v.Tokens
		keys = append(keys, key)
	}
	p.obsolete = slices.DeleteFunc(p.obsolete, func(key string) bool { return slices.Contains(keys, key) })
	changed := *e.Record
	changed.Spaces = map[int]form.Vectors{}
	for number, vectors := range e.Spaces {
		changed.Spaces[number] = vectors
	}
	changed.Spaces[space.Number] = added
	e.Record, e.dirty, e.publish = &changed, true, true
	return nil
}
