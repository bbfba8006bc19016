package editing

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/listing"
	"mekiki/server/wire"
)

// trashList is one page of what is in the trash, the latest first.
type trashList struct {
	wire.RecordList
	// Days is how long a record stays there.
	Days int `json:"days"`
}

func (r Room) listTrash(c echo.Context) error {
	var query struct {
		Limit  int    `json:"limit"`
		Offset int    `json:"offset"`
		Cursor string `json:"cursor"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return r.Library.Read(ctx, func(reader index.Reader) error {
		records, err := index.InTrashBefore(ctx, reader, r.Now().AddDate(1, 0, 0))
		if err != nil {
			return err
		}
		slices.SortFunc(records, func(a, b *index.Record) int { return cmp.Or(b.Trashed().Compare(a.Trashed()), cmp.Compare(a.ID, b.ID)) })
		list := trashList{Days: int(index.TrashedFor / (24 * time.Hour))}
		list.Total, list.Records = len(records), []wire.Record{}
		if query.Cursor == "" {
			records = records[min(query.Offset, len(records)):]
		}
		page, next, err := trashKeys.Page(records, query.Limit, query.Cursor)
		if err != nil {
			return err
		}
		list.Cursor = next
		for _, record := range page {
			list.Records = append(list.Records, wire.Listed(record))
		}
		return api.SendJSON(c, http.StatusOK, list)
	})
}

// trashKeys pages through the trash: moments and ids, the latest first.
var trashKeys = listing.Keys[*index.Record]{
	Name:  "trash",
	KeyOf: func(record *index.Record) string { return fmt.Sprint(record.Trashed().UnixNano(), record.ID) },
	Behind: func(record *index.Record, key string) bool {
		var moment int64
		var id index.ID
		if _, err := fmt.Sscan(key, &moment, &id); err != nil {
			return false
		}
		at := record.Trashed().UnixNano()
		return at < moment || at == moment && record.ID > id
	},
}

func (r Room) trash(c echo.Context) error {
	return r.move(c, func(record *index.Record) change { return r.trashed(record) })
}

func (r Room) restore(c echo.Context) error {
	return r.move(c, func(*index.Record) change { return change{given: index.GivenChange{Set: index.GivenTrashed}} })
}

// trashed puts a record in the trash, unless it is there.
func (r Room) trashed(record *index.Record) change {
	if record.InTrash() {
		return change{}
	}
	return change{given: index.GivenChange{Set: index.GivenTrashed, To: index.Given{Trashed: r.Now().UTC()}}}
}

func (r Room) move(c echo.Context, changeOf func(*index.Record) change) error {
	var asked struct {
		IDs []string `json:"ids"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	ids, err := wire.ParseIDs("ids", asked.IDs)
	if err != nil {
		return err
	}
	return r.edit(c, ids, changeOf)
}

func (r Room) emptyTrash(c echo.Context) error {
	var query struct {
		Expired bool `json:"expired"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	before := r.Now().AddDate(1, 0, 0)
	if query.Expired {
		before = r.Now().Add(-index.TrashedFor)
	}
	removed, err := r.purge(c.Request().Context(), before)
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, struct {
		Removed int `json:"removed"`
	}{removed})
}

// purge removes for good what was put in the trash before a moment.
func (r Room) purge(ctx context.Context, before time.Time) (removed int, err error) {
	r.editor.mutex.Lock() // nobody takes anything out meanwhile
	defer r.editor.mutex.Unlock()
	var records []*index.Record
	err = r.Library.Read(ctx, func(reader index.Reader) error {
		records, err = index.InTrashBefore(ctx, reader, before)
		return err
	})
	if err != nil || len(records) == 0 {
		return 0, err
	}
	return len(records), r.Remove(ctx, records)
}

// WatchTrash removes what has been in the trash for long enough, until the context ends.
func (r Room) WatchTrash(ctx context.Context) {
	for timer := time.NewTimer(trashDelay); ; timer.Reset(trashInterval) {
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if r.ReadOnly() != nil {
			continue
		}
		switch removed, err := r.purge(ctx, r.Now().Add(-index.TrashedFor)); {
		case err != nil && ctx.Err() == nil:
			r.Logger.Error("empty the trash", "error", err)
		case removed > 0:
			r.Logger.Info("removed what was in the trash for long enough", "records", removed)
		}
	}
}
