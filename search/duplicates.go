package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
)

const (
	// sceneLimit is the number of images, the newest first, that are compared
	// for the same scene: each costs a vector search.
	sceneLimit = 20_000
	// sceneNeighbours is the number of nearest images looked at for each.
	sceneNeighbours = 32
	// sceneRows is the number of an image's parts that ask for its neighbours.
	sceneRows = 4
	// scenePartsBytes bounds the vectors kept while scenes are compared: an image
	// is a neighbour of many.
	scenePartsBytes = 128 << 20
	// aspectTolerance is how far two widths may differ at one height: the
	// perceptual hash itself knows no aspect.
	aspectTolerance = 0.03
)

// Duplicates finds groups of images that are the same at one level. Groups are
// built around their best image, so that likeness does not creep from one
// member to the next.
func (s *Searcher) Duplicates(ctx context.Context, request DuplicatesRequest) (DuplicatesResponse, error) {
	started := time.Now()
	if err := request.prepare(); err != nil {
		return DuplicatesResponse{}, err
	}
	snapshot, err := s.library.Reader(ctx)
	if err != nil {
		return DuplicatesResponse{}, fmt.Errorf("read library: %w", err)
	}
	defer snapshot.Close()
	request.Filter.Kinds = []index.Kind{index.KindImage}
	records, _, err := snapshot.List(ctx, request.Filter, index.Page{})
	if err != nil {
		return DuplicatesResponse{}, fmt.Errorf("list records: %w", err)
	}
	response := DuplicatesResponse{Level: request.Level, Groups: []DuplicateGroup{}, Examined: len(records)}
	var groups []DuplicateGroup
	switch request.Level {
	case DuplicateBytes:
		groups = sameBytes(records)
	case DuplicatePicture:
		groups, err = samePicture(ctx, records, *request.Distance)
	case DuplicateScene:
		newest := byPreference(records)
		if len(newest) > sceneLimit {
			slices.SortFunc(newest, func(a, b *index.Record) int { return cmp.Compare(b.ID, a.ID) })
			newest = byPreference(newest[:sceneLimit])
			response.Warnings = append(response.Warnings, fmt.Sprintf("only the newest %d of %d images were compared; use a filter to choose others", sceneLimit, len(records)))
		}
		response.Examined = len(newest)
		groups, err = sameScene(ctx, snapshot, newest, request)
	}
	if err != nil {
		return DuplicatesResponse{}, err
	}
	response.cut(groups, request)
	response.Timings.TotalMS = milliseconds(started)
	return response, nil
}

// prepare checks a request and fills in defaults.
func (r *DuplicatesRequest) prepare() error {
	if r.Distance == nil {
		distance := 6
		r.Distance = &distance
	}
	if r.Similarity == 0 {
		r.Similarity = 0.95
	}
	if r.Limit == 0 {
		r.Limit = 100
	}
	switch {
	case r.Level != DuplicateBytes && r.Level != DuplicatePicture && r.Level != DuplicateScene:
		return invalidOption("level", "use bytes, picture or scene", "there is no level %q", r.Level)
	case *r.Distance < 0 || *r.Distance > 16:
		return invalidOption("distance", "give 0 to 16 bits", "distance %d is out of range", *r.Distance)
	case !(r.Similarity > 0 && r.Similarity <= 1):
		return invalidOption("similarity", "give a cosine such as 0.95", "similarity %v is not 0 to 1", r.Similarity)
	case r.Limit < 0 || r.Limit > maximumLimit:
		return invalidOption("limit", fmt.Sprintf("give 1 to %d", maximumLimit), "limit %d is out of range", r.Limit)
	case r.Offset < 0 || r.Offset > maximumOffset:
		return invalidOption("offset", fmt.Sprintf("give 0 to %d", maximumOffset), "offset %d is out of range", r.Offset)
	}
	return validateFilter(r.Filter)
}

// cut puts groups in order and takes one page.
func (r *DuplicatesResponse) cut(groups []DuplicateGroup, request DuplicatesRequest) {
	slices.SortFunc(groups, func(a, b DuplicateGroup) int {
		return cmp.Or(cmp.Compare(len(b.Members), len(a.Members)), cmp.Compare(b.ReclaimableBytes, a.ReclaimableBytes),
			cmp.Compare(a.Members[0].ID, b.Members[0].ID))
	})
	r.Total = len(groups)
	from := min(request.Offset, len(groups))
	to := min(from+request.Limit, len(groups))
	r.Groups = append(r.Groups, groups[from:to]...)
	if to < len(groups) {
		r.Next = to
	}
}

// sameBytes finds records with more than one file.
func sameBytes(records []*index.Record) []DuplicateGroup {
	var groups []DuplicateGroup
	for _, record := range records {
		if len(record.Files) < 2 {
			continue
		}
		group := DuplicateGroup{ReclaimableBytes: record.Bytes * int64(len(record.Files)-1)}
		for _, file := range record.Files {
			member := makeMember(record, 0, 1)
			member.Path, member.Name = file.Path, file.Name
			group.Members = append(group.Members, member)
		}
		groups = append(groups, group)
	}
	return groups
}

func makeMember(record *index.Record, distance int, similarity float64) DuplicateMember {
	return DuplicateMember{
		ID: record.ID, Path: record.Path(), Name: record.Name(), Width: record.Width, Height: record.Height, Bytes: record.Bytes,
		Distance: distance, Similarity: round(similarity), Record: record,
	}
}

// byPreference orders records so that the one to keep comes first.
func byPreference(records []*index.Record) []*index.Record {
	ordered := slices.Clone(records)
	slices.SortFunc(ordered, func(a, b *index.Record) int {
		return cmp.Or(cmp.Compare(int64(b.Width)*int64(b.Height), int64(a.Width)*int64(a.Height)),
			cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.ID, b.ID))
	})
	return ordered
}

// samePicture groups by perceptual hash. The hashes are kept in four tables by
// 16 of their bits; two hashes within a distance agree in one table up to a
// quarter of it (multi-index hashing, Norouzi et al. 2012).
func samePicture(ctx context.Context, records []*index.Record, distance int) ([]DuplicateGroup, error) {
	ordered := slices.DeleteFunc(byPreference(records), func(r *index.Record) bool { return r.PerceptualHash == 0 })
	tables := newHashTables(ordered)
	taken := make([]bool, len(ordered))
	var groups []DuplicateGroup
	for i, leader := range ordered {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if taken[i] {
			continue
		}
		group := DuplicateGroup{Members: []DuplicateMember{makeMember(leader, 0, 1)}}
		for _, j := range tables.within(leader.PerceptualHash, distance) {
			other := ordered[j]
			if j == i || taken[j] || !sameAspect(leader, other) {
				continue
			}
			taken[j] = true
			bits := pixels.HammingDistance(leader.PerceptualHash, other.PerceptualHash)
			group.add(other, bits, 1-float64(bits)/64)
		}
		if len(group.Members) > 1 {
			taken[i] = true
			groups = append(groups, group)
		}
	}
	return groups, nil
}

func (g *DuplicateGroup) add(record *index.Record, distance int, similarity float64) {
	g.Members = append(g.Members, makeMember(record, distance, similarity))
	g.ReclaimableBytes += record.Bytes
}

func sameAspect(a, b *index.Record) bool {
	if a.Height < 1 || b.Height < 1 || a.Width < 1 || b.Width < 1 {
		return true
	}
	ratio := float64(a.Width) * float64(b.Height) / (float64(a.Height) * float64(b.Width))
	return math.Abs(ratio-1) <= aspectTolerance
}

// hashTables finds hashes within a few bits of another.
type hashTables struct {
	hashes []uint64
	tables [4]map[uint16][]int32
	seen   []int32 // the last query that met each hash
	query  int32
}

func newHashTables(records []*index.Record) *hashTables {
	h := &hashTables{hashes: make([]uint64, len(records)), seen: make([]int32, len(records))}
	for t := range h.tables {
		h.tables[t] = map[uint16][]int32{}
	}
	for i, record := range records {
		h.hashes[i] = record.PerceptualHash
		for t := range h.tables {
			key := uint16(record.PerceptualHash >> (16 * t))
			h.tables[t][key] = append(h.tables[t][key], int32(i))
		}
	}
	return h
}

// within gives the numbers of the hashes within a distance, in order.
func (h *hashTables) within(hash uint64, distance int) []int {
	h.query++
	var found []int
	for t := range h.tables {
		flips(uint16(hash>>(16*t)), distance/len(h.tables), 0, func(key uint16) {
			for _, i := range h.tables[t][key] {
				if h.seen[i] == h.query {
					continue
				}
				h.seen[i] = h.query
				if pixels.HammingDistance(hash, h.hashes[i]) <= distance {
					found = append(found, int(i))
				}
			}
		})
	}
	slices.Sort(found)
	return found
}

// flips visits every key that differs from key in at most count of the bits
// from one on.
func flips(key uint16, count, from int, visit func(uint16)) {
	visit(key)
	if count == 0 {
		return
	}
	for bit := from; bit < 16; bit++ {
		flips(key^1<<bit, count-1, bit+1, visit)
	}
}

// sameScene groups by the likeness of whole pictures.
func sameScene(ctx context.Context, snapshot index.Reader, ordered []*index.Record, request DuplicatesRequest) ([]DuplicateGroup, error) {
	c := &sceneComparer{snapshot: snapshot, request: request, eligible: make(map[index.ID]bool, len(ordered)), parts: newLRU[index.ID, embed.Parts](scenePartsBytes)}
	for _, record := range ordered {
		c.eligible[record.ID] = true
	}
	var groups []DuplicateGroup
	for _, leader := range ordered {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !c.eligible[leader.ID] {
			continue
		}
		group, err := c.around(ctx, leader)
		if err != nil {
			return nil, err
		}
		if len(group.Members) > 1 {
			delete(c.eligible, leader.ID)
			groups = append(groups, group)
		}
	}
	return groups, nil
}

// sceneComparer compares images of which none is in a group yet.
type sceneComparer struct {
	snapshot index.Reader
	request  DuplicatesRequest
	eligible map[index.ID]bool
	parts    *lru[index.ID, embed.Parts]
}

// partsOf gives the vectors of images, each read once; none for an image that has none.
func (c *sceneComparer) partsOf(ctx context.Context, ids ...index.ID) ([]embed.Parts, error) {
	found := make([]embed.Parts, len(ids))
	var missing []index.ID
	var places []int
	for i, id := range ids {
		if parts, ok := c.parts.get(id); ok {
			found[i] = parts
		} else {
			missing, places = append(missing, id), append(places, i)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	read, err := c.snapshot.Parts(ctx, missing)
	if err != nil {
		return nil, fmt.Errorf("read vectors: %w", err)
	}
	for i, parts := range read {
		found[places[i]] = parts
		c.parts.put(missing[i], parts, int64(4*len(parts.Values)))
	}
	return found, nil
}

// around makes the group of a leader, with itself first and perhaps alone, and
// takes its other members out of those that are eligible.
func (c *sceneComparer) around(ctx context.Context, leader *index.Record) (DuplicateGroup, error) {
	group := DuplicateGroup{Members: []DuplicateMember{makeMember(leader, 0, 1)}}
	parts, err := index.One(c.partsOf(ctx, leader.ID))
	if err != nil || parts.Count == 0 {
		return group, err // not embedded yet
	}
	neighbours, err := c.snapshot.Nearest(ctx, index.KindImage, someRows(parts.Values, parts.Count, parts.Width), sceneNeighbours+1, c.request.Filter)
	if err != nil {
		return group, fmt.Errorf("search vectors: %w", err)
	}
	var ids []index.ID
	for _, neighbour := range neighbours {
		if neighbour.ID != leader.ID && c.eligible[neighbour.ID] {
			ids = append(ids, neighbour.ID)
		}
	}
	others, err := c.partsOf(ctx, ids...)
	if err != nil {
		return group, err
	}
	records, err := c.snapshot.Records(ctx, ids)
	if err != nil {
		return group, fmt.Errorf("read records: %w", err)
	}
	for i, record := range records {
		if similarity, alike := likenessFrom(parts, others[i], c.request.Similarity); record != nil && others[i].Count > 0 && alike {
			delete(c.eligible, record.ID)
			group.add(record, pixels.HammingDistance(leader.PerceptualHash, record.PerceptualHash), similarity)
		}
	}
	return group, nil
}

// someRows takes rows spread evenly over a picture's parts.
func someRows(values []float32, count, width int) []float32 {
	if count <= sceneRows {
		return values
	}
	rows := make([]float32, 0, sceneRows*width)
	for i := range sceneRows {
		row := i * count / sceneRows
		rows = append(rows, values[row*width:(row+1)*width]...)
	}
	return rows
}
