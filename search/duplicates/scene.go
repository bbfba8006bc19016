package duplicates

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/likeness"
)

// Scenes groups images by the likeness of whole pictures, a cosine of at least similarity,
// 0 to 1. ordered is in the order of [ByPreference]; each costs a vector search, of what
// filter lets pass.
func Scenes(ctx context.Context, snapshot index.Reader, ordered []*index.Record, filter index.Filter, similarity float64) ([]Group, error) {
	c := &sceneComparer{partsReader: newPartsReader(snapshot), filter: filter, similarity: similarity, eligible: make(map[index.ID]bool, len(ordered))}
	for _, record := range ordered {
		c.eligible[record.ID] = true
	}
	var groups []Group
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
	*partsReader
	filter     index.Filter
	similarity float64 // the least that counts as the same scene
	eligible   map[index.ID]bool
}

// around makes the group of a leader, with itself first and perhaps alone, and
// takes its other members out of those that are eligible.
func (c *sceneComparer) around(ctx context.Context, leader *index.Record) (Group, error) {
	group := Group{Members: []Member{makeMember(leader, 0, 1)}}
	parts, err := index.One(c.partsOf(ctx, leader.ID))
	if err != nil || parts.Count == 0 {
		return group, err // not embedded yet
	}
	neighbours, err := c.snapshot.Nearest(ctx, index.KindImage, someRows(parts.Values, parts.Count, parts.Width), sceneNeighbours+1, c.filter)
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
		if similarity, alike := likeness.AtLeast(parts, others[i], c.similarity); record != nil && others[i].Count > 0 && alike {
			delete(c.eligible, record.ID)
			group.add(record, pixels.HammingDistance(leader.PerceptualHash, record.PerceptualHash), similarity)
		}
	}
	return group, nil
}

// scenes groups images by the pairs that were kept, with at least a similarity. ordered is in the order of [ByPreference].
func (p *pairs) scenes(ordered []*index.Record, similarity float64) []Group {
	place := make(map[index.ID]int, len(ordered))
	for i, record := range ordered {
		place[record.ID] = i
	}
	type neighbour struct {
		at         int
		similarity float64
	}
	neighbours := make([][]neighbour, len(ordered))
	for _, each := range p.found {
		a, aThere := place[each.a]
		b, bThere := place[each.b]
		if likeness := float64(each.similarity); aThere && bThere && likeness >= similarity {
			neighbours[a] = append(neighbours[a], neighbour{b, likeness})
			neighbours[b] = append(neighbours[b], neighbour{a, likeness})
		}
	}
	taken := make([]bool, len(ordered))
	var groups []Group
	for i, leader := range ordered {
		if taken[i] {
			continue
		}
		group := Group{Members: []Member{makeMember(leader, 0, 1)}}
		slices.SortFunc(neighbours[i], func(a, b neighbour) int { return cmp.Compare(a.at, b.at) })
		for _, each := range neighbours[i] {
			if taken[each.at] {
				continue
			}
			taken[each.at] = true
			other := ordered[each.at]
			group.add(other, pixels.HammingDistance(leader.PerceptualHash, other.PerceptualHash), each.similarity)
		}
		if len(group.Members) > 1 {
			taken[i] = true
			groups = append(groups, group)
		}
	}
	return groups
}
