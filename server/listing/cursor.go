// Package listing pages through records: the cursor that says where a page ended, and the lists kept between pages.
package listing

import (
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"mekiki/index"
	"mekiki/server/problem"
)

// Position is where in a list of records a page ended: after a record with this
// date and identity, whether or not it is still there. A list that goes on from a
// position neither skips nor repeats anything when records come and go meanwhile.
type Position struct {
	order index.Order
	date  time.Time
	id    index.ID
}

// PositionOf is the position after a record in a list of some order.
func PositionOf(order index.Order, record *index.Record) Position {
	return Position{order: order, date: record.Date(), id: record.ID}
}

// compare is negative for a record that stands before the position in its order,
// zero for the position's own, positive for one that stands behind it. Records of
// one date stand in the order of their identities, as the index lists them.
func (p Position) compare(record *index.Record) int {
	byID := 0
	switch {
	case record.ID < p.id:
		byID = -1
	case record.ID > p.id:
		byID = 1
	}
	switch p.order {
	case index.OrderNewest:
		return -byID
	case index.OrderDateDescending:
		if byDate := p.date.Compare(record.Date()); byDate != 0 {
			return byDate
		}
	case index.OrderDateAscending:
		if byDate := record.Date().Compare(p.date); byDate != 0 {
			return byDate
		}
	}
	return byID
}

// Rest gives the records of a list, which is in the position's order, that stand
// behind the position.
func (p Position) Rest(records []*index.Record) []*index.Record {
	start, _ := slices.BinarySearchFunc(records, p, func(record *index.Record, p Position) int {
		if p.compare(record) > 0 {
			return 1
		}
		return -1
	})
	return records[start:]
}

const cursorFormat = "2:%d:%d:%d:%d"

// Cursor writes the position down for the client, to whom it means nothing.
func (p Position) Cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, cursorFormat, p.order, p.date.Unix(), p.date.Nanosecond(), uint64(p.id)))
}

// ReadCursor reads what cursor wrote. found is false for an empty cursor, which
// is the beginning of the list.
func ReadCursor(cursor string, order index.Order) (p Position, found bool, err error) {
	if cursor == "" {
		return Position{}, false, nil
	}
	foreign := problem.Invalid("cursor", "was not issued by this server")
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(data) > 100 {
		return Position{}, false, foreign
	}
	var seconds, nanoseconds int64
	var id uint64
	if _, err := fmt.Sscanf(string(data), cursorFormat, &p.order, &seconds, &nanoseconds, &id); err != nil || nanoseconds < 0 || nanoseconds >= int64(time.Second) {
		return Position{}, false, foreign
	}
	p.date, p.id = time.Unix(seconds, nanoseconds), index.ID(id)
	if p.Cursor() != cursor {
		return Position{}, false, foreign
	}
	if p.order != order {
		return Position{}, false, problem.Invalid("cursor", "belongs to a different sort order")
	}
	return p, true, nil
}
