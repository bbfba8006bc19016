package duplicates

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/internal/lru"
	"mekiki/search/likeness"
)

// Compared is what [Kept.Compare] did.
type Compared struct {
	// Compared counts the pictures whose neighbours were looked at, Pictures those there are, and Pairs the pairs that are alike.
	Compared int `json:"compared"`
	Pictures int `json:"pictures"`
	Pairs    int `json:"pairs"`
}

// everyPicture lets all pictures pass, so that what is shown again later was compared.
func everyPicture() index.Filter {
	return index.Filter{Kinds: []index.Kind{index.KindImage}, Hidden: index.ChoiceInclude, Trash: index.ChoiceInclude}
}

// Compare looks at the neighbours of every picture that has vectors and was not compared before, and keeps those that may show
// the same scene. progress, which may be nil, is told how many of the pictures are done. When ctx ends, what was found until then
// stays. One comparison runs at a time; another waits.
func (k *Kept) Compare(ctx context.Context, library index.Source, progress func(done, total int)) (Compared, error) {
	k.comparing.Lock()
	defer k.comparing.Unlock()
	var result Compared
	reader, err := library.Reader(ctx)
	if err != nil {
		return result, fmt.Errorf("read library: %w", err)
	}
	space, some := reader.Space()
	records, _, err := reader.List(ctx, everyPicture(), index.Page{})
	if err != nil || !some {
		return result, errors.Join(err, reader.Close())
	}
	known := k.of(space.Fingerprint)
	missing, err := missingOf(ctx, reader, space, known, records)
	if err = errors.Join(err, reader.Close()); err != nil {
		return result, err
	}
	result.Pictures, result.Pairs = len(records), len(known.found)
	var pending gathered
	for from := 0; from < len(missing); from += compareChunk {
		if progress != nil {
			progress(len(records)-len(missing)+from, len(records))
		}
		chunk := missing[from:min(from+compareChunk, len(missing))]
		found, err := compareThese(ctx, library, space, chunk)
		if err == nil {
			pending.compared, pending.found = append(pending.compared, chunk...), append(pending.found, found...)
		}
		if last := err != nil || from+len(chunk) == len(missing); last || len(pending.compared) >= compareKept {
			if known, err = k.merge(ctx, library, known, pending, err); err != nil {
				return result, err
			}
			result.Compared, result.Pairs, pending = result.Compared+len(pending.compared), len(known.found), gathered{}
		}
	}
	return result, nil
}

// gathered is what was found and is not kept yet.
type gathered struct {
	compared []*index.Record
	found    []pair
}

// merge keeps what was gathered, also where comparing ended with an error, which it gives back.
func (k *Kept) merge(ctx context.Context, library index.Source, known *pairs, new gathered, ended error) (*pairs, error) {
	if len(new.compared) == 0 {
		return known, ended
	}
	ctx = context.WithoutCancel(ctx) // what was found is worth keeping
	reader, err := library.Reader(ctx)
	if err != nil {
		return known, errors.Join(ended, err)
	}
	defer reader.Close()
	records, _, err := reader.List(ctx, everyPicture(), index.Page{})
	if err != nil {
		return known, errors.Join(ended, err)
	}
	there := make(map[index.ID]*index.Record, len(records))
	for _, record := range records {
		there[record.ID] = record
	}
	known = known.with(new.compared, new.found, func(id index.ID) *index.Record { return there[id] })
	k.put(known)
	return known, ended
}

// missingOf gives the pictures that have vectors and were not compared.
func missingOf(ctx context.Context, reader index.Reader, space embed.Space, known *pairs, records []*index.Record) ([]*index.Record, error) {
	var missing []*index.Record
	for _, record := range records {
		if !known.has(record) {
			missing = append(missing, record)
		}
	}
	have, err := reader.HaveParts(ctx, space, index.IDs(missing))
	if err != nil {
		return nil, fmt.Errorf("ask for vectors: %w", err)
	}
	var found []*index.Record
	for i, record := range missing {
		if have[i] {
			found = append(found, record)
		}
	}
	return found, nil
}

// compareThese compares some pictures with all of one snapshot.
func compareThese(ctx context.Context, library index.Source, space embed.Space, chunk []*index.Record) ([]pair, error) {
	reader, err := library.Reader(ctx)
	if err != nil {
		return nil, fmt.Errorf("read library: %w", err)
	}
	defer reader.Close()
	if now, _ := reader.Space(); now != space {
		return nil, errors.New("another model began to serve meanwhile")
	}
	c := &pairFinder{partsReader: newPartsReader(reader)}
	found := make([][]pair, len(chunk))
	workers := compareWorkers()
	problems := make([]error, workers)
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < len(chunk) && problems[worker] == nil; i += workers {
				if problems[worker] = ctx.Err(); problems[worker] == nil {
					found[i], problems[worker] = c.around(ctx, chunk[i].ID)
				}
			}
		})
	}
	group.Wait()
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	var all []pair
	for _, each := range found {
		all = append(all, each...)
	}
	return all, nil
}

// pairFinder looks for the neighbours of pictures in one snapshot. Safe for concurrent use.
type pairFinder struct{ *partsReader }

// around gives the pairs of a picture with its neighbours.
func (c *pairFinder) around(ctx context.Context, id index.ID) ([]pair, error) {
	parts, err := index.One(c.partsOf(ctx, id))
	if err != nil || parts.Count == 0 {
		return nil, err
	}
	neighbours, err := c.snapshot.Nearest(ctx, index.KindImage, someRows(parts.Values, parts.Count, parts.Width), sceneNeighbours+1, everyPicture())
	if err != nil {
		return nil, fmt.Errorf("search vectors: %w", err)
	}
	ids := make([]index.ID, 0, len(neighbours))
	for _, neighbour := range neighbours {
		if neighbour.ID != id {
			ids = append(ids, neighbour.ID)
		}
	}
	others, err := c.partsOf(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var found []pair
	for i, other := range others {
		if similarity, alike := likeness.AtLeast(parts, other, LeastKept); alike {
			found = append(found, pair{min(id, ids[i]), max(id, ids[i]), float32(similarity)})
		}
	}
	return found, nil
}

// partsReader reads vectors of a snapshot, each once for a while. Safe for concurrent use.
type partsReader struct {
	snapshot index.Reader
	parts    *lru.Cache[index.ID, embed.Parts]
}

func newPartsReader(snapshot index.Reader) *partsReader {
	return &partsReader{snapshot, lru.New[index.ID, embed.Parts](scenePartsBytes)}
}

// partsOf gives the vectors of images, each read once; none for an image that has none.
func (c *partsReader) partsOf(ctx context.Context, ids ...index.ID) ([]embed.Parts, error) {
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
