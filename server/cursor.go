package server

import (
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"mekiki/index"
	"mekiki/server/problem"
)

// position is where in a list of records a page ended: after a record with this
// date and identity, whether or not it is still there. A list that goes on from a
// position neither skips nor repeats anything when records come and go meanwhile.
type position struct {
	order index.Order
	date  time.Time
	id    index.ID
}

func positionOf(order index.Order, record *index.Record) position {
	return position{order: order, date: record.Date(), id: record.ID}
}

// compare is negative for a record that stands before the position in its order,
// zero for the position's own, positive for one that stands behind it. Records of
// one date stand in the order of their identities, as the index lists them.
func (p position) compare(record *index.Record) int {
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

// rest gives the records of a list, which is in the position's order, that stand
// behind the position.
func (p position) rest(records []*index.Record) []*index.Record {
	start, _ := slices.BinarySearchFunc(records, p, func(record *index.Record, p position) int {
		if p.compare(record) > 0 {
			return 1
		}
		return -1
	})
	return records[start:]
}

const cursorFormat = "2:%d:%d:%d:%d"

// cursor writes the position down for the client, to whom it means nothing.
func (p position) cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, cursorFormat, p.order, p.date.Unix(), p.date.Nanosecond(), uint64(p.id)))
}

// readCursor reads what cursor wrote. found is false for an empty cursor, which
// is the beginning of the list.
func readCursor(cursor string, order index.Order) (p position, found bool, err error) {
	if cursor == "" {
		return position{}, false, nil
	}
	foreign := problem.Invalid("cursor", "was not issued by this server")
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(data) > 100 {
		return position{}, false, foreign
	}
	var seconds, nanoseconds int64
	var id uint64
	if _, err := fmt.Sscanf(string(data), cursorFormat, &p.order, &seconds, &nanoseconds, &id); err != nil || nanoseconds < 0 || nanoseconds >= int64(time.Second) {
		return position{}, false, foreign
	}
	p.date, p.id = time.Unix(seconds, nanoseconds), index.ID(id)
	if p.cursor() != cursor {
		return position{}, false, foreign
	}
	if p.order != order {
		return position{}, false, problem.Invalid("cursor", "belongs to a different sort order")
	}
	return p, true, nil
}
