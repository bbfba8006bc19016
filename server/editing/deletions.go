package editing

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// deletionJSON asks to delete the records that any of its members names. A filter without a condition names none, so that
// nobody deletes the whole library by leaving something out.
type deletionJSON struct {
	IDs         []string    `json:"ids"`
	ExternalIDs []string    `json:"external_ids"`
	Filter      wire.Filter `json:"filter"`
	Permanent   bool        `json:"permanent"`
	DryRun      bool        `json:"dry_run"`
}

// deletion is the answer.
type deletion struct {
	// Matched counts the records that were named, Sample shows some of them, and Missing are ids and external ids of
	// records that there are not.
	Matched int           `json:"matched"`
	Sample  []wire.Record `json:"sample"`
	Missing []string      `json:"missing"`
	// Deleted counts those that are not where they were.
	Deleted int    `json:"deleted"`
	Undo    string `json:"undo,omitempty"`
}

// deleteRecords puts records in the trash, or removes them for good; in a dry run it only tells which.
func (r Room) deleteRecords(c echo.Context) error {
	var asked deletionJSON
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	ids, err := wire.ParseIDs("ids", asked.IDs)
	if err != nil {
		return err
	}
	filter, err := asked.Filter.Parse("filter.")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var found []*index.Record
	answer := deletion{Sample: []wire.Record{}, Missing: []string{}}
	err = r.Library.Read(ctx, func(reader index.Reader) error {
		found, answer.Missing, err = named(ctx, reader, ids, asked.ExternalIDs, filter)
		return err
	})
	if err != nil {
		return err
	}
	answer.Matched = len(found)
	for _, record := range found[:min(len(found), sampleSize)] {
		answer.Sample = append(answer.Sample, wire.Listed(record))
	}
	if !asked.DryRun {
		if err := r.deleteAll(ctx, found, asked.Permanent, &answer); err != nil {
			return err
		}
	}
	return api.SendJSON(c, http.StatusOK, answer)
}

// named gives the records that ids, external ids and a filter name, each once, and what names none.
func named(ctx context.Context, reader index.Reader, ids []index.ID, externalIDs []string, filter index.Filter) (found []*index.Record, missing []string, err error) {
	missing = []string{}
	seen := map[index.ID]bool{}
	add := func(record *index.Record) {
		if !seen[record.ID] {
			seen[record.ID] = true
			found = append(found, record)
		}
	}
	records, err := reader.Records(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	for i, record := range records {
		if record == nil {
			missing = append(missing, ids[i].String())
			continue
		}
		add(record)
	}
	if len(externalIDs) > 0 {
		wanted := make(map[string]bool, len(externalIDs))
		for _, id := range externalIDs {
			wanted[id] = true
		}
		texts := index.Filter{Kinds: []index.Kind{index.KindText}, Hidden: index.ChoiceInclude, Trash: index.ChoiceInclude}
		if records, _, err = reader.List(ctx, texts, index.Page{}); err != nil {
			return nil, nil, err
		}
		for _, record := range records {
			if record.ExternalID != "" && wanted[record.ExternalID] {
				delete(wanted, record.ExternalID)
				add(record)
			}
		}
		for _, id := range externalIDs {
			if wanted[id] {
				delete(wanted, id)
				missing = append(missing, id)
			}
		}
	}
	if !filter.IsZero() {
		if records, _, err = reader.List(ctx, filter, index.Page{}); err != nil {
			return nil, nil, err
		}
		for _, record := range records {
			add(record)
		}
	}
	return found, missing, nil
}

// deleteAll puts records in the trash, or removes them for good.
func (r Room) deleteAll(ctx context.Context, records []*index.Record, permanent bool, answer *deletion) error {
	most := maximumTrashed
	if permanent {
		most = maximumRemoved
	}
	if len(records) > most {
		p := problem.Newf(problem.Conflict, "these are %d records, and at most %d can be deleted at once", len(records), most)
		p.Hint = "narrow the filter down, such as by after and before"
		return p
	}
	if permanent {
		removed, err := r.remove(ctx, records)
		answer.Deleted = removed
		return err
	}
	ids := make([]index.ID, len(records))
	for i, record := range records {
		ids[i] = record.ID
	}
	done, err := r.editor.edit(ctx, "", ids, r.trashed)
	answer.Deleted, answer.Undo = done.Changed, done.Undo
	return err
}

// remove removes records for good, as far as they are still there, and counts them.
func (r Room) remove(ctx context.Context, records []*index.Record) (removed int, err error) {
	r.editor.mutex.Lock()
	defer r.editor.mutex.Unlock()
	ctx = context.WithoutCancel(ctx) // who goes away half-way has asked for all of it
	var left []*index.Record
	err = r.Library.Read(ctx, func(reader index.Reader) error {
		ids := make([]index.ID, len(records))
		for i, record := range records {
			ids[i] = record.ID
		}
		left, err = reader.Records(ctx, ids)
		return err
	})
	if err != nil {
		return 0, err
	}
	left = slices.DeleteFunc(slices.Clone(left), func(record *index.Record) bool { return record == nil })
	return len(left), r.Remove(ctx, left)
}

// Delete puts one record in the trash, or removes it for good. check refuses a record as it is then; the error of one that
// is not there is a problem.
func (r Room) Delete(ctx context.Context, id index.ID, permanent bool, check func(*index.Record) error) error {
	if !permanent {
		_, err := r.editor.change(ctx, "id", []index.ID{id}, func(record *index.Record) change {
			wanted := r.trashed(record)
			wanted.refused = check(record)
			return wanted
		})
		return err
	}
	r.editor.mutex.Lock()
	defer r.editor.mutex.Unlock()
	record, err := r.Library.Record(ctx, id)
	if err == nil {
		err = check(record)
	}
	if err != nil {
		return err
	}
	return r.Remove(ctx, []*index.Record{record})
}

// Tag changes the tags of one record. check is that of Delete.
func (r Room) Tag(ctx context.Context, wanted index.TagChange, check func(*index.Record) error) error {
	_, err := r.editor.change(ctx, "id", []index.ID{wanted.ID}, func(record *index.Record) change {
		return change{tags: wanted, refused: check(record)}
	})
	return err
}
