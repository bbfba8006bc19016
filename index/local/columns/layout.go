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
	var images []listed
	list := newListing(index.Page{Order: order})
	err := t.scan(ctx, t.Compile(filter), func(p *Page, slots []uint8) {
		c := p.columns()
		for _, slot := range slots {
			if c.kinds[slot] == index.KindImage {
				images = append(images, listed{id: p.first + index.ID(slot), date: c.moment(slot), ratio: c.ratios[slot]})
			}
		}
	})
	if err != nil {
		return index.Layout{}, err
	}
	slices.SortFunc(images, list.compare)
	layout := index.Layout{IDs: make([]index.ID, len(images)), Ratios: make([]uint32, len(images)), Days: make([]int32, len(images))}
	for i, image := range images {
		layout.IDs[i], layout.Ratios[i], layout.Days[i] = image.id, image.ratio, dayOf(image.date)
	}
	return layout, nil
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
