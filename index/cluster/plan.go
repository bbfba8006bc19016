package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
)

// plan is what a batch makes of the records that it touches. Nothing is written before all
// of it is known to be valid.
type plan struct {
	library *Library
	state   *form.State
	// imports says that records keep the times and what people gave with which they are put.
	imports  bool
	sequence uint64
	mark     string // of the objects that it makes, see [form.NewMark]

	records map[index.ID]*entry
	byHash  map[index.Hash]index.ID
	byPath  map[string]index.ID
	byText  map[string]index.ID // by external ID
	claims  map[index.Hash]*claim
	kept    map[string]bool // keys of what is kept, true for those that are there
	written map[string]index.Kept

	blobs    map[string][]byte
	parts    map[string]embed.Parts // of blobs
	failures map[string]*index.Failure
	searches map[string]*index.SavedSearch
	obsolete []string // keys that nobody needs once all is written
	nothing  bool
}

// entry is a record that the batch touches.
type entry struct {
	*form.Record
	tag     string // of its object; "" for a new one
	removed bool
	// dirty says that its object is to be written, publish that the engine's is.
	dirty, publish bool
	fresh          bool // this batch made it
}

// claim is the object that says which record has a content. That of a content whose record
// is gone stays, with the ID zero: it changes by compare and swap alone.
type claim struct {
	ID  index.ID `json:"id"`
	tag string
	// write says that the object is to be written with this ID; of is the record that it
	// was of, where that is to go.
	write bool
	of    index.ID
}

func (l *Library) newPlan(s *form.State, sequence uint64, mark string) *plan {
	return &plan{
		library: l, state: s, sequence: sequence, mark: mark,
		records: map[index.ID]*entry{}, byHash: map[index.Hash]index.ID{}, byPath: map[string]index.ID{}, byText: map[string]index.ID{},
		claims: map[index.Hash]*claim{}, kept: map[string]bool{}, written: map[string]index.Kept{},
		blobs: map[string][]byte{}, parts: map[string]embed.Parts{}, failures: map[string]*index.Failure{}, searches: map[string]*index.SavedSearch{},
	}
}

// load reads all that the batch may touch.
func (p *plan) load(ctx context.Context, batch *index.Batch) error {
	var hashes []index.Hash
	var paths, external []string
	ids := slices.Concat(batch.Remove, batch.Purge)
	for i := range batch.Puts {
		put := &batch.Puts[i]
		hashes = append(hashes, put.Record.Hash)
		if !put.Replaces.IsZero() {
			hashes = append(hashes, put.Replaces)
		}
		if put.Record.ExternalID != "" {
			external = append(external, put.Record.ExternalID)
		}
		for _, file := range put.Record.Files {
			paths = append(paths, filepath.Clean(file.Path))
		}
	}
	for _, attach := range batch.Attach {
		ids, paths = append(ids, attach.ID), append(paths, filepath.Clean(attach.File.Path))
	}
	for _, path := range batch.Detach {
		paths = append(paths, filepath.Clean(path))
	}
	for i := range batch.Vectors {
		ids = append(ids, batch.Vectors[i].ID)
	}
	for _, change := range batch.Captions {
		ids = append(ids, change.ID)
	}
	for _, change := range batch.Metadata {
		ids = append(ids, change.ID)
	}
	for _, change := range batch.OCR {
		ids = append(ids, change.ID)
	}
	for _, change := range batch.Tags {
		ids = append(ids, change.ID)
	}
	for _, change := range batch.Given {
		ids = append(ids, change.ID)
	}
	if len(hashes)+len(batch.Detach)+len(batch.Attach)+len(batch.Purge) > 0 {
		if err := p.loadKept(ctx); err != nil {
			return err
		}
	}
	claimed, err := p.loadClaims(ctx, hashes)
	if err != nil {
		return err
	}
	ids = append(ids, claimed...)
	for property, values := range map[string][]string{document.Paths: paths, document.External: external} {
		found, err := p.library.idsOf(ctx, p.state, property, values)
		if err != nil {
			return err
		}
		ids = append(ids, found...)
	}
	return p.loadRecords(ctx, ids)
}

// idsOf gives the records that have one of some values of a property, as the engine knows
// them. It is asked about some at a time, since an answer has [engine.MaximumResults] at most.
func (l *Library) idsOf(ctx context.Context, s *form.State, property string, values []string) ([]index.ID, error) {
	var ids []index.ID
	for some := range slices.Chunk(document.Texts(values), pageOfObjects) {
		answers, err := l.engine.Find(ctx, engine.Query{Collection: s.Collection, Replicated: l.replicated(), Where: engine.OneOf(property, some), Limit: engine.MaximumResults})
		if err != nil {
			return nil, err
		}
		for _, found := range answers[0] {
			if id := form.ID(found.ID); id != 0 {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

func (l *Library) replicated() bool { return l.options.Replicas > 1 }

func (p *plan) loadKept(ctx context.Context) error {
	for info, err := range p.library.store.List(ctx, form.KeptPrefix) {
		if err != nil {
			return fmt.Errorf("list what is kept: %w", err)
		}
		p.kept[info.Key] = true
	}
	return nil
}

// loadClaims reads which records have some contents.
func (p *plan) loadClaims(ctx context.Context, hashes []index.Hash) ([]index.ID, error) {
	slices.SortFunc(hashes, func(a, b index.Hash) int { return slices.Compare(a[:], b[:]) })
	hashes = slices.Compact(hashes)
	claims := make([]*claim, len(hashes))
	err := each(ctx, len(hashes), func(ctx context.Context, i int) (err error) {
		claims[i], err = p.library.readClaim(ctx, form.ContentKey(hashes[i]))
		return err
	})
	if err != nil {
		return nil, err
	}
	var ids []index.ID
	for i, claim := range claims {
		if claim != nil {
			p.claims[hashes[i]] = claim
			if claim.ID != 0 {
				ids = append(ids, claim.ID)
			}
		}
	}
	return ids, nil
}

// readClaim reads which record has a content; nil where nobody has said yet.
func (l *Library) readClaim(ctx context.Context, key string) (*claim, error) {
	data, tag, err := l.store.GetTagged(ctx, key)
	if errors.Is(err, objects.ErrAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a content: %w", err)
	}
	read := claim{tag: tag}
	if err := json.Unmarshal(data, &read); err != nil {
		return nil, fmt.Errorf("look for a content: %w: %s: %w", index.ErrDamaged, key, err)
	}
	return &read, nil
}

// loadRecords reads records of the store.
func (p *plan) loadRecords(ctx context.Context, ids []index.ID) error {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	entries := make([]*entry, len(ids))
	err := each(ctx, len(ids), func(ctx context.Context, i int) (err error) {
		entries[i], err = p.library.readObject(ctx, ids[i])
		return err
	})
	if err != nil {
		return err
	}
	for i, one := range entries {
		if one == nil {
			continue
		}
		one.dirty = one.Gone != "" // by an earlier attempt of this write
		if one.dirty && one.Gone != p.mark {
			// Another process removes it, or did not come to: that is ended here, which does no harm if it is done twice.
			p.records[ids[i]] = one
			p.remove(ids[i])
			continue
		}
		p.records[ids[i]] = one
		p.byHash[one.Hash] = ids[i]
		if one.ExternalID != "" {
			p.byText[one.ExternalID] = ids[i]
		}
		for _, path := range one.Paths() {
			p.byPath[path] = ids[i]
		}
	}
	return nil
}

// readRecord reads a record of the store; nil where there is none, or no more.
func (l *Library) readRecord(ctx context.Context, id index.ID) (*entry, error) {
	read, err := l.readObject(ctx, id)
	if err != nil || read == nil || read.Gone != "" {
		return nil, err
	}
	return read, nil
}

// readObject reads a record of the store, which may be gone by what it says; nil where there is none.
func (l *Library) readObject(ctx context.Context, id index.ID) (*entry, error) {
	data, tag, err := l.store.GetTagged(ctx, form.RecordKey(id))
	if errors.Is(err, objects.ErrAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read record %d: %w", id, err)
	}
	read, err := form.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("record %d: %w", id, err)
	}
	if read.ID != id {
		return nil, fmt.Errorf("record %d: %w: its object has record %d", id, index.ErrDamaged, read.ID)
	}
	return &entry{Record: read, tag: tag}, nil
}
