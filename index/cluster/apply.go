package cluster

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/uploaded"
	"mekiki/index/limits"
)

// get gives a record that is there.
func (p *plan) get(id index.ID) (*entry, bool) {
	e := p.records[id]
	return e, e != nil && !e.removed
}

// edit changes a copy of a record.
func (p *plan) edit(id index.ID, change func(*index.Record)) error {
	e, there := p.get(id)
	if !there {
		return fmt.Errorf("record %d: %w", id, index.ErrNotFound)
	}
	changed := *e.Record
	change(&changed.Record)
	if err := limits.Check(&changed.Record); err != nil {
		return err
	}
	e.Record, e.dirty, e.publish = &changed, true, true
	return nil
}

// apply makes the changes of a batch, as far as memory.
func (p *plan) apply(ctx context.Context, batch *index.Batch) (index.WriteResult, error) {
	result := index.WriteResult{Sequence: p.sequence}
	for i := range batch.Puts {
		id, replaced, err := p.put(ctx, &batch.Puts[i])
		if err != nil {
			return index.WriteResult{}, fmt.Errorf("record %d of the batch: %w", i, err)
		}
		if replaced {
			result.Replaced++
		}
		result.IDs = append(result.IDs, id)
	}
	if err := p.applyChanges(ctx, batch); err != nil {
		return index.WriteResult{}, err
	}
	for _, e := range p.records {
		if e.removed && (e.Gone == "" || e.Gone == p.mark) {
			result.Removed++
		}
	}
	p.nothing = !p.changes()
	return result, nil
}

// changes reports whether anything is to be written.
func (p *plan) changes() bool {
	for _, e := range p.records {
		if e.dirty || e.publish || e.removed && !e.fresh {
			return true
		}
	}
	return len(p.failures)+len(p.searches)+len(p.written)+len(p.blobs) > 0 || slices.Contains(slices.Collect(maps.Values(p.kept)), false)
}

// applyChanges makes the changes after the puts, in the order of the contract.
func (p *plan) applyChanges(ctx context.Context, batch *index.Batch) error {
	for _, attach := range batch.Attach {
		files, err := p.withoutCopies(ctx, attach.ID, []index.File{attach.File})
		if err == nil && len(files) > 0 {
			err = p.attach(attach)
		}
		if err != nil {
			return err
		}
	}
	for _, path := range batch.Detach {
		path = filepath.Clean(path)
		p.detach(path, 0, !batch.Final)
		p.failures[path] = nil
	}
	if batch.Final {
		if err := p.forgetPaths(ctx, batch.Detach); err != nil {
			return err
		}
	}
	for i := range batch.Vectors {
		if err := p.putVectors(batch.Vectors[i].ID, &batch.Vectors[i], true); err != nil {
			return err
		}
	}
	for _, change := range batch.Captions {
		if err := p.edit(change.ID, func(r *index.Record) { r.Captions = slices.Clone(change.Captions) }); err != nil {
			return err
		}
	}
	for _, change := range batch.Metadata {
		if err := p.edit(change.ID, func(r *index.Record) { r.Metadata, r.MetadataVersion = change.Metadata, change.Version }); err != nil {
			return err
		}
	}
	for _, change := range batch.OCR {
		if err := p.edit(change.ID, func(r *index.Record) { r.OCR = change.OCR.Clone() }); err != nil {
			return err
		}
	}
	if err := p.applyGiven(batch); err != nil {
		return err
	}
	for _, id := range batch.Remove {
		p.remove(id)
	}
	for _, id := range batch.Purge {
		if e, there := p.get(id); there && e.Kind == index.KindImage {
			p.keep(index.Kept{Hash: e.Hash, Path: e.Path(), Lost: p.library.clock().UTC(), Purged: true})
		}
		p.remove(id)
	}
	for _, failure := range batch.Failures {
		failure.File.Path = filepath.Clean(failure.File.Path)
		p.failures[failure.File.Path] = &failure
	}
	for _, path := range batch.Resolved {
		p.failures[filepath.Clean(path)] = nil
	}
	return p.applySearches(ctx, batch)
}

// applyGiven changes tags and what else people give.
func (p *plan) applyGiven(batch *index.Batch) error {
	for _, change := range batch.Tags {
		err := p.edit(change.ID, func(r *index.Record) {
			former := r.Tags
			if change.Exactly {
				former = nil
			}
			r.Tags = index.ChangeWords(former, change.Add, change.Remove)
		})
		if err != nil {
			return err
		}
	}
	for _, change := range batch.Given {
		e, there := p.get(change.ID)
		if !there {
			return fmt.Errorf("record %d: %w", change.ID, index.ErrNotFound)
		}
		given := change.Apply(e.Given)
		if err := given.Check(); err != nil {
			return fmt.Errorf("record %d: %w", change.ID, err)
		}
		if err := p.edit(change.ID, func(r *index.Record) { r.Given = given }); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) applySearches(ctx context.Context, batch *index.Batch) error {
	for _, search := range batch.SaveSearches {
		if err := search.Check(); err != nil {
			return err
		}
		search.Saved = p.library.clock().UTC()
		p.searches[form.SearchKey(search.Name)] = &search
	}
	for _, name := range batch.DropSearches {
		p.searches[form.SearchKey(name)] = nil
	}
	if len(batch.SaveSearches) == 0 {
		return nil
	}
	names := map[string]bool{}
	for info, err := range p.library.store.List(ctx, form.SearchPrefix) {
		if err != nil {
			return fmt.Errorf("list saved searches: %w", err)
		}
		names[info.Key] = true
	}
	for key, search := range p.searches {
		names[key] = search != nil
	}
	count := 0
	for _, there := range names {
		if there {
			count++
		}
	}
	if count > index.MaximumSearches {
		return fmt.Errorf("a library keeps at most %d saved searches", index.MaximumSearches)
	}
	return nil
}

// attach makes a file one of a record's, and of no other.
func (p *plan) attach(a index.Attach) error {
	a.File.Path = filepath.Clean(a.File.Path)
	if !uploaded.Holds(a.File.Path) {
		return fmt.Errorf("file %s: the path must be absolute", a.File.Path)
	}
	e, there := p.get(a.ID)
	if !there {
		return fmt.Errorf("record %d: %w", a.ID, index.ErrNotFound)
	}
	p.failures[a.File.Path] = nil
	p.detach(a.File.Path, a.ID, true)
	at := slices.IndexFunc(e.Files, func(f index.File) bool { return f.Path == a.File.Path })
	if at >= 0 {
		a.File.Name = cmp.Or(a.File.Name, e.Files[at].Name)
		if known := e.Files[at].RootLength; known != 0 && (a.File.RootLength == 0 || known < a.File.RootLength) {
			a.File.RootLength = known // part of an indexed folder was indexed by itself
		}
	}
	p.byPath[a.File.Path] = a.ID
	return p.edit(a.ID, func(r *index.Record) {
		r.Files = slices.Clone(r.Files)
		if at >= 0 {
			r.Files = slices.Delete(r.Files, at, at+1)
		} else {
			at = len(r.Files)
		}
		if a.First {
			at = 0
		}
		r.Files = slices.Insert(r.Files, at, a.File)
	})
}

// detach takes a path from the record that has it, unless that is the one to have it.
func (p *plan) detach(path string, owner index.ID, keep bool) {
	id := p.byPath[path]
	e, there := p.get(id)
	if id == 0 || id == owner || !there {
		return
	}
	delete(p.byPath, path)
	changed := *e.Record
	changed.Files = slices.DeleteFunc(slices.Clone(e.Files), func(f index.File) bool { return f.Path == path })
	if len(changed.Files) > 0 || e.Kind != index.KindImage {
		e.Record, e.dirty, e.publish = &changed, true, true
		return
	}
	if keep && (len(e.Tags) > 0 || e.Given != nil) {
		p.keep(index.Kept{Hash: e.Hash, Tags: e.Tags, Given: e.Given, Added: e.Added, Path: path, Lost: p.library.clock().UTC()})
	}
	p.remove(id)
}

// remove deletes a record and all that belongs to it.
func (p *plan) remove(id index.ID) {
	e, there := p.get(id)
	if !there {
		return
	}
	e.removed = true
	if p.byHash[e.Hash] == id {
		delete(p.byHash, e.Hash)
	}
	if e.ExternalID != "" && p.byText[e.ExternalID] == id {
		delete(p.byText, e.ExternalID)
	}
	for _, path := range e.Paths() {
		if p.byPath[path] == id {
			delete(p.byPath, path)
		}
	}
	p.dropContent(e)
}

// dropContent makes what the store has of a record's content obsolete.
func (p *plan) dropContent(e *entry) {
	for number := range e.Spaces {
		p.dropVectors(e, number)
	}
	p.obsolete = append(append(p.obsolete, form.ThumbnailKey(e.Record)), uploaded.KeysOf(&e.Record.Record)...)
	claimed := p.claims[e.Hash]
	if claimed == nil {
		claimed = &claim{ID: e.ID}
		p.claims[e.Hash] = claimed
	}
	if claimed.ID == e.ID {
		claimed.ID, claimed.write, claimed.of = 0, true, e.ID
	}
}

func (p *plan) dropVectors(e *entry, number int) {
	vectors := e.Spaces[number]
	space, known := p.state.Numbered(number)
	if !known {
		return // swept with the space
	}
	p.obsolete = append(p.obsolete, form.VectorKey(space.Embed(), e.Hash, vectors.Vectors))
	if vectors.Tokens != "" {
		p.obsolete = append(p.obsolete, form.TokenKey(space.Embed(), e.Hash, vectors.Tokens))
	}
}

// keep notes what people gave a record that is about to go.
func (p *plan) keep(kept index.Kept) {
	p.unkeep(func(key string) bool { return strings.HasPrefix(key, form.KeptPrefix+kept.Hash.String()) })
	p.written[form.KeptKey(kept.Hash, kept.Path)] = kept
}

// unkeep forgets what is kept under some keys.
func (p *plan) unkeep(which func(key string) bool) {
	for key, there := range p.kept {
		if there && which(key) {
			p.kept[key] = false
		}
	}
	for key := range p.written {
		if which(key) {
			delete(p.written, key)
		}
	}
}

// forgetPaths forgets what is kept of pictures whose last path is one of some, but not that a
// person removed one for good.
func (p *plan) forgetPaths(ctx context.Context, paths []string) error {
	endings := map[string]bool{}
	for _, path := range paths {
		endings[form.Digest(filepath.Clean(path))] = true
	}
	forgotten := map[string]bool{}
	for _, key := range slices.Concat(sortedKeys(p.kept), sortedKeys(p.written)) {
		if _, ending, _ := strings.Cut(key, "-"); !endings[ending] {
			continue
		}
		kept, written := p.written[key]
		if !written {
			var err error
			if kept, written, err = p.readKept(ctx, key); err != nil {
				return err
			}
		}
		forgotten[key] = written && !kept.Purged
	}
	p.unkeep(func(key string) bool { return forgotten[key] })
	return nil
}
