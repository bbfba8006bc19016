package webhooks

import (
	"context"
	"slices"
	"time"

	"mekiki/index"
)

// recordsAdded is the data of an event about new pictures.
type recordsAdded struct {
	// Count counts them, and IDs names the first of them.
	Count int      `json:"count"`
	IDs   []string `json:"ids"`
}

// Watch emits an event when there are new pictures in a library, whoever brought them in, until the context ends. Those of
// before the first start are not new; those that came while no server ran are.
func (s *Sender) Watch(ctx context.Context, library index.Source) {
	if !slices.ContainsFunc(s.hooks, func(h Hook) bool { return h.wants(EventRecordsAdded) }) {
		return
	}
	var sequence uint64
	for timer := time.NewTimer(0); ; timer.Reset(lookInterval) {
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		next, err := s.look(ctx, library, sequence)
		if err != nil && ctx.Err() == nil {
			s.logger.Warn("webhooks: the library was not looked at", "error", err)
		}
		sequence = next
	}
}

// look tells of the records that have come since the last look, unless the library is as it was.
func (s *Sender) look(ctx context.Context, library index.Source, former uint64) (sequence uint64, err error) {
	reader, err := library.Reader(ctx)
	if err != nil {
		return former, err
	}
	defer func() { _ = reader.Close() }() // an error loses nothing
	if sequence = reader.Sequence(); sequence == former {
		return sequence, nil
	}
	records, _, err := reader.List(ctx, index.Filter{Kinds: []index.Kind{index.KindImage}}, index.Page{Limit: lookRecords, Order: index.OrderNewest})
	if err != nil {
		return former, err
	}
	var newest index.ID
	if len(records) > 0 {
		newest = records[0].ID
	}
	last, known := s.seen(newest)
	if !known {
		return sequence, nil
	}
	var added recordsAdded
	for _, record := range slices.Backward(records) {
		if record.ID <= last {
			continue
		}
		if added.Count++; len(added.IDs) < namedRecords {
			added.IDs = append(added.IDs, record.ID.String())
		}
	}
	if added.Count > 0 {
		s.Emit(EventRecordsAdded, added)
	}
	return sequence, nil
}

// seen notes the newest record, and gives the one that was the newest before, if any look was taken before. What it notes
// is on disk with the event that follows, so that none is lost in between.
func (s *Sender) seen(newest index.ID) (last index.ID, known bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.state.LastRecord != nil {
		last, known = *s.state.LastRecord, true
	}
	newest = max(newest, last)
	s.state.LastRecord = &newest
	if !known {
		s.keep()
	}
	return last, known
}
