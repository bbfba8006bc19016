package local

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"mekiki/index"
	"mekiki/index/limits"
	"mekiki/index/local/block"
	"mekiki/index/local/catalog"
	"mekiki/index/local/segment"
)

// applyBatch makes a batch's changes.
func (c *commit) applyBatch(batch *index.Batch) (index.WriteResult, error) {
	var result index.WriteResult
	before := c.Counts[index.KindImage] + c.Counts[index.KindText]
	added := 0
	for i := range batch.Puts {
		last := c.NextID
		id, replaced, err := c.put(&batch.Puts[i])
		if err != nil {
			return result, fmt.Errorf("record %d of the batch: %w", i, err)
		}
		if id > last {
			added++
		}
		if replaced {
			result.Replaced++
		}
		result.IDs = append(result.IDs, id)
	}
	for _, attach := range batch.Attach {
		if err := c.attach(attach); err != nil {
			return result, err
		}
	}
	for _, path := range batch.Detach {
		c.detach(filepath.Clean(path), 0, !batch.Final)
		c.RemoveFailure(filepath.Clean(path))
	}
	if batch.Final {
		c.forgetPaths(batch.Detach)
	}
	for i := range batch.Vectors {
		if err := c.putVectors(batch.Vectors[i].ID, &batch.Vectors[i], true); err != nil {
			return result, err
		}
	}
	for _, change := range batch.Captions {
		err := c.edit(change.ID, func(r *index.Record) { r.Captions = slices.Clone(change.Captions) })
		if err != nil {
			return result, err
		}
	}
	for _, change := range batch.OCR {
		if err := c.edit(change.ID, func(r *index.Record) { r.OCR = change.OCR.Clone() }); err != nil {
			return result, err
		}
	}
	for _, change := range batch.Metadata {
		err := c.edit(change.ID, func(r *index.Record) { r.Metadata, r.MetadataVersion = change.Metadata, change.Version })
		if err != nil {
			return result, err
		}
	}
	for _, change := range batch.Tags {
		if err := c.retag(change); err != nil {
			return result, err
		}
	}
	for _, change := range batch.Given {
		if err := c.give(change); err != nil {
			return result, err
		}
	}
	for _, id := range batch.Remove {
		c.RemoveRecord(id)
	}
	for _, id := range batch.Purge {
		c.purge(id)
	}
	for _, failure := range batch.Failures {
		failure.File.Path = filepath.Clean(failure.File.Path)
		c.PutFailure(failure)
	}
	for _, path := range batch.Resolved {
		c.RemoveFailure(filepath.Clean(path))
	}
	if err := c.saveSearches(batch); err != nil {
		return result, err
	}
	c.expireKept()
	result.Removed = before + added - c.Counts[index.KindImage] - c.Counts[index.KindText]
	return result, nil
}

// put adds a record, or what is new of it to the record with its content. It
// reports whether an image was replaced, see [index.Put.Replaces].
func (c *commit) put(p *index.Put) (id index.ID, replaced bool, err error) {
	if err := limits.Check(&p.Record); err != nil {
		return 0, false, err
	}
	record := p.Record
	record.Tags, record.Given = index.ChangeWords(nil, record.Tags, nil), nil
	files := record.Files
	record.Files = nil
	if id := c.IDOfHash(record.Hash); id != 0 {
		if err := c.merge(id, &record); err != nil {
			return 0, false, err
		}
		record.ID = id
	} else {
		record.Added = c.library.options.Now().UTC()
		c.restore(&record, record.Hash)
		if record.ID = c.predecessor(p); record.ID != 0 {
			replaced = record.Kind == index.KindImage
			c.supersede(&record)
		} else if record.ID = c.NewID(); record.ID > catalog.MaximumID {
			return 0, false, fmt.Errorf("the library has used up the %d numbers that it has for records: export it to a new one", catalog.MaximumID)
		}
		c.restore(&record, p.Replaces)
		added := record
		c.PutRecord(&added)
	}
	for _, file := range files {
		if err := c.attach(index.Attach{ID: record.ID, File: file}); err != nil {
			return 0, false, err
		}
	}
	if len(p.Vectors.Parts.Values) > 0 {
		if err := c.putVectors(record.ID, &p.Vectors, false); err != nil {
			return 0, false, err
		}
	}
	if len(p.Thumbnail) > 0 {
		c.thumbs[record.Hash] = p.Thumbnail
	}
	return record.ID, replaced, nil
}

// predecessor gives the record that a put takes the place of, or zero: the text
// with its external ID, or the image that its files held before.
func (c *commit) predecessor(p *index.Put) index.ID {
	if p.Record.ExternalID != "" {
		if id := c.IDOfExternal(p.Record.ExternalID); id != 0 {
			return id
		}
	}
	if p.Replaces.IsZero() {
		return 0
	}
	id := c.IDOfHash(p.Replaces)
	if old, there := c.Record(id); !there || old.Kind != p.Record.Kind {
		return 0
	}
	return id
}

// merge adds to an existing record what a new one with its content says more.
func (c *commit) merge(id index.ID, added *index.Record) error {
	old, _ := c.Record(id)
	tags := index.ChangeWords(old.Tags, added.Tags, nil)
	captions := len(old.Captions) == 0 && len(added.Captions) > 0
	if slices.Equal(tags, old.Tags) && !captions {
		return nil
	}
	return c.edit(id, func(r *index.Record) {
		r.Tags = tags
		if captions {
			r.Captions = slices.Clone(added.Captions)
		}
	})
}

// supersede readies the record to replace the one with its ID.
func (c *commit) supersede(r *index.Record) {
	old, _ := c.Record(r.ID)
	r.Added, r.Tags, r.Given = old.Added, index.ChangeWords(old.Tags, r.Tags, nil), old.Given.Merge(r.Given)
	for _, s := range c.Spaces {
		c.RemoveLocation(s.Number, r.ID)
	}
}

// edit changes a copy of a record.
func (c *commit) edit(id index.ID, change func(*index.Record)) error {
	old, there := c.Record(id)
	if !there {
		return fmt.Errorf("record %d: %w", id, index.ErrNotFound)
	}
	changed := *old
	change(&changed)
	if err := limits.Check(&changed); err != nil {
		return err
	}
	c.PutRecord(&changed)
	return nil
}

// attach makes a file one of a record's, and of no other.
func (c *commit) attach(a index.Attach) error {
	a.File.Path = filepath.Clean(a.File.Path)
	if !filepath.IsAbs(a.File.Path) {
		return fmt.Errorf("file %s: the path must be absolute", a.File.Path)
	}
	record, there := c.Record(a.ID)
	if !there {
		return fmt.Errorf("record %d: %w", a.ID, index.ErrNotFound)
	}
	c.RemoveFailure(a.File.Path)
	c.detach(a.File.Path, a.ID, true)
	at := slices.IndexFunc(record.Files, func(f index.File) bool { return f.Path == a.File.Path })
	if at >= 0 {
		// Whoever only saw the file does not know what it was called.
		a.File.Name = cmp.Or(a.File.Name, record.Files[at].Name)
		if known := record.Files[at].RootLength; known != 0 && (a.File.RootLength == 0 || known < a.File.RootLength) {
			a.File.RootLength = known // part of an indexed folder was indexed by itself
		}
		if sameFile(record.Files[at], a.File) && (at == 0 || !a.First) {
			return nil
		}
	}
	return c.edit(a.ID, func(r *index.Record) {
		r.Files = slices.Clone(r.Files)
		switch {
		case at >= 0 && a.First:
			r.Files = slices.Insert(slices.Delete(r.Files, at, at+1), 0, a.File)
		case a.First:
			r.Files = slices.Insert(r.Files, 0, a.File)
		case at >= 0:
			r.Files[at] = a.File
		default:
			r.Files = append(r.Files, a.File)
		}
	})
}

// sameFile reports whether all that is known of two files is equal.
func sameFile(a, b index.File) bool {
	return a.Same(b) && a.Name == b.Name && a.MountLength == b.MountLength && a.RootLength == b.RootLength
}

// detach takes a path from the record that has it, unless that is the one to
// have it. An image without files is removed, and what people gave it kept if keep
// says so.
func (c *commit) detach(path string, owner index.ID, keep bool) {
	id := c.IDOfPath(path)
	record, there := c.Record(id)
	if id == 0 || id == owner || !there {
		return
	}
	changed := *record
	changed.Files = slices.DeleteFunc(slices.Clone(record.Files), func(f index.File) bool { return f.Path == path })
	if len(changed.Files) == 0 && record.Kind == index.KindImage {
		if keep {
			c.keep(record, path)
		}
		c.RemoveRecord(id)
		return
	}
	c.PutRecord(&changed)
}

// putVectors stages a record's vectors and tokens in a space. Those that are
// there stay, unless they are to be replaced.
func (c *commit) putVectors(id index.ID, v *index.Vectors, replace bool) error {
	record, there := c.Record(id)
	if !there {
		return fmt.Errorf("vectors of record %d: %w", id, index.ErrNotFound)
	}
	var target *catalog.SpaceEdit
	for _, candidate := range c.Spaces {
		if candidate.Space.Space == v.Space {
			target = candidate
		}
	}
	if target == nil {
		return fmt.Errorf("vectors of record %d: %w: the library has no space %s", id, index.ErrSpace, v.Space)
	}
	if target.Edit.Table.Has(id) && !replace {
		return nil
	}
	if err := segment.CheckParts(v.Parts, v.Space, record.Kind); err != nil {
		return fmt.Errorf("vectors of record %d: %w", id, err)
	}
	payload := segment.EncodeVectors(v.Parts)
	where := catalog.Location{Sequence: c.Sequence}
	var err error
	if where.Vectors, err = c.stage(target.Number, block.Vectors, id, payload); err != nil {
		return err
	}
	if len(v.Tokens) > 0 {
		if where.Tokens, err = c.stage(target.Number, block.Tokens, id, v.Tokens); err != nil {
			return err
		}
	}
	c.PutLocation(target.Number, id, where)
	return nil
}
