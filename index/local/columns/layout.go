package columns

import (
	"context"
	"math"
	"slices"

	"mekiki/index"
	"mekiki/index/filters"
)

// Layout gives the images that pass a filter, from the columns alone.
func (t *Table) Layout(ctx context.Context, filter index.Filter, order index.Order) (index.Layout, error) {
	var found index.Layout // in order of ID
	var dates []dated
	byDate := order == index.OrderDateDescending || order == index.OrderDateAscending
	err := t.scan(ctx, t.Compile(filter), func(p *Page, slots []uint8) {
		c := p.columns()
		for _, slot := range slots {
			if c.kinds[slot] != index.KindImage {
				continue
			}
			date := c.moment(slot)
			if byDate {
				dates = append(dates, dated{date.Seconds, date.Nanoseconds, uint32(len(found.IDs))})
			}
			found.IDs = append(found.IDs, p.first+index.ID(slot))
			found.Ratios, found.Days = append(found.Ratios, c.ratios[slot]), append(found.Days, dayOf(date))
		}
	})
	switch {
	case err != nil:
		return index.Layout{}, err
	case byDate:
		return inOrder(found, sortByDate(dates, order == index.OrderDateDescending)), nil
	case order == index.OrderNewest:
		slices.Reverse(found.IDs)
		slices.Reverse(found.Ratios)
		slices.Reverse(found.Days)
	}
	return found, nil
}

// inOrder gives the images of a layout in the order of their dates.
func inOrder(found index.Layout, dates []dated) index.Layout {
	layout := index.Layout{IDs: make([]index.ID, len(dates)), Ratios: make([]uint32, len(dates)), Days: make([]int32, len(dates))}
	for i, date := range dates {
		layout.IDs[i], layout.Ratios[i], layout.Days[i] = found.IDs[date.place], found.Ratios[date.place], found.Days[date.place]
	}
	return layout
}

// dated is the date of the image at a place.
type dated struct {
	seconds     int64
	nanoseconds int32
	place       uint32
}

// sortByDate gives dates in order, equal ones as they were: digit by digit from the least on, which takes a tenth of the time that
// comparing a million takes. It uses the memory of those given.
func sortByDate(dates []dated, descending bool) []dated {
	flip := uint64(0)
	if descending {
		flip = math.MaxUint64
	}
	dates, spare := sortByDigits(dates, make([]dated, len(dates)), func(d *dated) uint64 { return uint64(d.nanoseconds) ^ flip })
	dates, _ = sortByDigits(dates, spare, func(d *dated) uint64 { return uint64(d.seconds) ^ 1<<63 ^ flip })
	return dates
}

// sortByDigits gives dates in the order of a key, and the other of the two pieces of memory.
func sortByDigits(dates, spare []dated, key func(*dated) uint64) (sorted, other []dated) {
	const bits = 11 // of a digit
	differ := uint64(0)
	for i := range dates {
		differ |= key(&dates[i]) ^ key(&dates[0])
	}
	for shift := 0; shift < 64; shift += bits {
		if differ>>shift&(1<<bits-1) == 0 {
			continue
		}
		var starts [1<<bits + 1]int
		for i := range dates {
			starts[key(&dates[i])>>shift&(1<<bits-1)+1]++
		}
		for digit := range 1 << bits {
			starts[digit+1] += starts[digit]
		}
		for i := range dates {
			digit := key(&dates[i]) >> shift & (1<<bits - 1)
			spare[starts[digit]] = dates[i]
			starts[digit]++
		}
		dates, spare = spare, dates
	}
	return dates, spare
}

const secondsOfDay = 24 * 60 * 60

// dayOf is the day of a moment in UTC, counted from 1970-01-01.
func dayOf(m filters.Moment) int32 {
	if m.IsZero() {
		return index.NoDay
	}
	day := m.Seconds / secondsOfDay
	if m.Seconds%secondsOfDay < 0 {
		day--
	}
	return int32(min(max(day, index.NoDay+1), math.MaxInt32))
}
