package conformance

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"mekiki/embed"
	"mekiki/index"
)

// model is what a library must hold.
type model struct {
	sequence          uint64
	last              index.ID // the largest that was ever given
	records           map[index.ID]*entry
	kept              map[index.Hash]index.Kept
	failures          map[string]index.Failure
	searches          map[string]index.SavedSearch
	spaces            []embed.Space
	serving, previous embed.Space
	removed           int // records, by the batch that is applied
}

// entry is a record and its vectors. It is never changed: copies of a model share it. A
// zero time of adding is not known.
type entry struct {
	index.Record
	vectors map[embed.Space]index.Vectors
}

func newModel() *model {
	return &model{records: map[index.ID]*entry{}, kept: map[index.Hash]index.Kept{}, failures: map[string]index.Failure{}, searches: map[string]index.SavedSearch{}}
}

func (m *model) clone() *model {
	c := *m
	c.records, c.kept, c.failures, c.spaces = maps.Clone(m.records), maps.Clone(m.kept), maps.Clone(m.failures), slices.Clone(m.spaces)
	c.searches = maps.Clone(m.searches)
	return &c
}

func (m *model) ids() []index.ID { return slices.Sorted(maps.Keys(m.records)) }

// find gives the first record that is as asked, or zero.
func (m *model) find(is func(*entry) bool) index.ID {
	for _, id := range m.ids() {
		if is(m.records[id]) {
			return id
		}
	}
	return 0
}

func (m *model) byHash(hash index.Hash) index.ID {
	return m.find(func(e *entry) bool { return e.Hash == hash })
}

func (m *model) byPath(path string) index.ID {
	return m.find(func(e *entry) bool { return slices.Contains(e.Paths(), path) })
}

func (m *model) edit(id index.ID, change func(*entry)) {
	changed := *m.records[id]
	changed.vectors = maps.Clone(changed.vectors)
	change(&changed)
	m.records[id] = &changed
}

func (m *model) remove(id index.ID) {
	if _, there := m.records[id]; there {
		delete(m.records, id)
		m.removed++
	}
}

// apply makes the changes of a batch that the library acknowledged with a result.
func (m *model) apply(batch index.Batch, result index.WriteResult) error {
	if len(result.IDs) != len(batch.Puts) || result.Sequence < m.sequence {
		return fmt.Errorf("result %+v of %d puts after commit %d", result, len(batch.Puts), m.sequence)
	}
	m.removed = 0
	replaced := 0
	for i, put := range batch.Puts {
		id, replaces := m.put(put, result.IDs[i])
		if id != result.IDs[i] {
			return fmt.Errorf("put %d became record %d, expected %d; zero: one above %d", i, result.IDs[i], id, m.last)
		}
		if replaces {
			replaced++
		}
	}
	for _, attach := range batch.Attach {
		m.attach(attach)
	}
	for _, path := range batch.Detach {
		m.detach(path, 0, !batch.Final)
		delete(m.failures, path)
	}
	if batch.Final {
		maps.DeleteFunc(m.kept, func(_ index.Hash, kept index.Kept) bool { return slices.Contains(batch.Detach, kept.Path) })
	}
	for _, vectors := range batch.Vectors {
		m.edit(vectors.ID, func(e *entry) { e.vectors[vectors.Space] = vectors })
	}
	for _, change := range batch.Captions {
		m.edit(change.ID, func(e *entry) { e.Captions = change.Captions })
	}
	for _, change := range batch.OCR {
		m.edit(change.ID, func(e *entry) { e.OCR = change.OCR })
	}
	for _, change := range batch.Metadata {
		m.edit(change.ID, func(e *entry) { e.Metadata, e.MetadataVersion = change.Metadata, change.Version })
	}
	for _, change := range batch.Tags {
		m.edit(change.ID, func(e *entry) {
			if change.Exactly {
				e.Tags = nil
			}
			e.Tags = slices.DeleteFunc(unite(e.Tags, change.Add), func(tag string) bool {
				return slices.ContainsFunc(change.Remove, func(r string) bool { return strings.EqualFold(r, tag) })
			})
		})
	}
	for _, change := range batch.Given {
		m.edit(change.ID, func(e *entry) { e.Given = change.Apply(e.Given) })
	}
	for _, id := range slices.Concat(batch.Remove, batch.Purge) {
		m.remove(id)
	}
	for _, failure := range batch.Failures {
		m.failures[failure.File.Path] = failure
	}
	for _, path := range batch.Resolved {
		delete(m.failures, path)
	}
	for _, search := range batch.SaveSearches {
		m.searches[strings.ToLower(search.Name)] = search
	}
	for _, name := range batch.DropSearches {
		delete(m.searches, strings.ToLower(name))
	}
	if result.Removed != m.removed || result.Replaced != replaced {
		return fmt.Errorf("result %+v, expected %d removed and %d replaced", result, m.removed, replaced)
	}
	return nil
}

func unite(tags ...[]string) []string {
	all := slices.Concat(tags...)
	slices.Sort(all)
	return slices.Compact(all)
}

// put gives the record that a put becomes, zero for a new one that does not have a new ID,
// and whether it replaces an image.
func (m *model) put(put index.Put, given index.ID) (index.ID, bool) {
	added, replaces := put.Record, false
	added.Files, added.Tags, added.Given = nil, unite(put.Record.Tags), nil
	id := m.byHash(added.Hash)
	if id != 0 {
		m.edit(id, func(e *entry) {
			e.Tags = unite(e.Tags, added.Tags)
			if len(e.Captions) == 0 {
				e.Captions = added.Captions
			}
		})
	} else {
		added.Added = time.Time{}
		m.restore(&added, added.Hash)
		if added.ExternalID != "" {
			id = m.find(func(e *entry) bool { return e.ExternalID == added.ExternalID })
		} else if !put.Replaces.IsZero() {
			id = m.find(func(e *entry) bool { return e.Hash == put.Replaces && e.Kind == added.Kind })
		}
		if old := m.records[id]; old != nil {
			added.Added, added.Tags, replaces = old.Added, unite(old.Tags, added.Tags), added.Kind == index.KindImage
			added.Given = old.Given.Merge(added.Given)
		} else if id = given; id <= m.last {
			return 0, false
		}
		m.restore(&added, put.Replaces)
		m.last = max(m.last, id)
		added.ID = id
		m.records[id] = &entry{Record: added, vectors: map[embed.Space]index.Vectors{}}
	}
	for _, file := range put.Record.Files {
		m.attach(index.Attach{ID: id, File: file})
	}
	if _, has := m.records[id].vectors[put.Vectors.Space]; !has && put.Vectors.Parts.Count > 0 {
		m.edit(id, func(e *entry) { e.vectors[put.Vectors.Space] = put.Vectors })
	}
	return id, replaces
}

// restore gives a record what is kept of a content.
func (m *model) restore(r *index.Record, hash index.Hash) {
	if kept, there := m.kept[hash]; there {
		r.Tags, r.Added, r.Given = unite(kept.Tags, r.Tags), kept.Added, r.Given.Merge(kept.Given)
		delete(m.kept, hash)
	}
}

func (m *model) attach(a index.Attach) {
	delete(m.failures, a.File.Path)
	m.detach(a.File.Path, a.ID, true)
	m.edit(a.ID, func(e *entry) {
		at := slices.IndexFunc(e.Files, func(f index.File) bool { return f.Path == a.File.Path })
		e.Files = slices.Clone(e.Files)
		if at >= 0 {
			a.File.Name = cmp.Or(a.File.Name, e.Files[at].Name)
			e.Files = slices.Delete(e.Files, at, at+1)
		} else {
			at = len(e.Files)
		}
		if a.First {
			at = 0
		}
		e.Files = slices.Insert(e.Files, at, a.File)
	})
}

// detach takes a path from the record that has it, unless that is its new owner.
func (m *model) detach(path string, owner index.ID, keep bool) {
	id := m.byPath(path)
	if id == 0 || id == owner {
		return
	}
	m.edit(id, func(e *entry) {
		e.Files = slices.DeleteFunc(slices.Clone(e.Files), func(f index.File) bool { return f.Path == path })
	})
	if e := m.records[id]; len(e.Files) == 0 && e.Kind == index.KindImage {
		if keep && (len(e.Tags) > 0 || e.Given != nil) {
			m.kept[e.Hash] = index.Kept{Tags: e.Tags, Given: e.Given, Added: e.Added, Path: path}
		}
		m.remove(id)
	}
}
