package duplicates

import (
	"context"
	"fmt"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/lru"
	"mekiki/search/likeness"
)

// Scenes groups images by the likeness of whole pictures, a cosine of at least similarity,
// 0 to 1. ordered is in the order of [ByPreference]; each costs a vector search, of what
// filter lets pass.
func Scenes(ctx context.Context, snapshot index.Reader, ordered []*index.Record, filter index.Filter, similarity float64) ([]Group, error) {
	c := &sceneComparer{snapshot: snapshot, filter: filter, similarity: similarity, eligible: make(map[index.ID]bool, len(ordered)), parts: lru.New[index.ID, embed.Parts](scenePartsBytes)}
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
	snapshot   index.Reader
	filter     index.Filter
	similarity float64 // the least that counts as the same scene
	eligible   map[index.ID]bool
	parts      *lru.Cache[index.ID, embed.Parts]
}

// partsOf gives the vectors of images, each read once; none for an image that has none.
func (c *sceneComparer) partsOf(ctx context.Context, ids ...index.ID) ([]embed.Parts, error) {
	found := make([]embed.Parts, len(ids))
	var missing []index.ID
	var places []int
	for i, id := range ids {
		if parts, ok := c.parts.Get(id); ok {
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
		c.parts.Put(missing[i], parts, int64(4*len(parts.Values)))
	}
	return found, nil
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
