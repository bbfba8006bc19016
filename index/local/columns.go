package local

import (
	"cmp"
	"context"
	"math"
	"mekiki/index"
	"runtime"
	"time"
	"unique"

	"golang.org/x/sync/errgroup"
)

// columns are what filters, orders and counts ask of a page's records, side by
// side in memory: a million records are looked through without looking for each.
type columns struct {
	kinds       [pageSize]index.Kind
	seconds     [pageSize]int64 // since 1970, of Record.Date
	nanoseconds [pageSize]int32
	years       [pageSize]int32
	formats     category[string]
	cameras     category[cameraNames]
	folders     category[string] // of the file of a record that has one
	ratings     [pageSize]int8
	offsets     [pageSize]int32 // of the camera's clock, in seconds ahead of UTC
	flags       [pageSize]columnFlags
}

// unrated is the rating, in its column, of a record without one.
const unrated = math.MinInt8

// columnFlags say what must be asked of the record itself.
type columnFlags uint8

const (
	flagTags      columnFlags = 1 << iota // it has tags or keywords
	flagPlace                             // it has a place
	flagOneFolder                         // it has files, all in the folder that the column names
	flagPeople                            // it names people
	flagTaken                             // its date is when it was taken
	flagOffset                            // the offset of its clock is known
)

// category is a column of values that many records share.
type category[T comparable] struct {
	values []unique.Handle[T] // the different ones, in no order; all pages share their memory
	of     [pageSize]uint8    // which of them, by slot
}

// fill sets a slot's value; numbers has the values that there are.
func (c *category[T]) fill(slot int, value T, numbers map[T]uint8) {
	if slot > 0 && len(c.values) > 0 {
		// Records that come one after the other are mostly alike.
		if last := c.of[slot-1]; c.values[last].Value() == value {
			c.of[slot] = last
			return
		}
	}
	number, known := numbers[value]
	if !known {
		number = uint8(len(c.values))
		numbers[value] = number
		c.values = append(c.values, unique.Make(value))
	}
	c.of[slot] = number
}

// where asks about every different value once.
func (c *category[T]) where(ask func(T) bool) *[pageSize]bool {
	passes := new([pageSize]bool)
	for number, value := range c.values {
		passes[number] = ask(value.Value())
	}
	return passes
}

// count tells how many of the slots have each value that one of them has.
func (c *category[T]) count(slots []uint8, visit func(value T, count int)) {
	var counts [pageSize]int
	for _, slot := range slots {
		counts[c.of[slot]]++
	}
	for number, value := range c.values {
		if counts[number] > 0 {
			visit(value.Value(), counts[number])
		}
	}
}

// makeColumns makes the columns of all pages that have none, so that the first
// filter need not.
func makeColumns(ctx context.Context, records table[*index.Record]) error {
	group, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		group.Go(func() error {
			for number := worker; number < len(records.pages) && ctx.Err() == nil; number += workers {
				if p := records.pages[number]; p != nil {
					columnsOf(p)
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// columnsOf gives a page's columns, which are made when first asked for.
func columnsOf(p *page[*index.Record]) *columns {
	if made := p.columns.Load(); made != nil {
		return made
	}
	made := newColumns(p)
	p.columns.Store(made)
	return made
}

func newColumns(p *page[*index.Record]) *columns {
	c := &columns{}
	formats, cameras, folders := map[string]uint8{}, map[cameraNames]uint8{}, map[string]uint8{}
	for slot, record := range p.values {
		if !p.present[slot] {
			continue
		}
		c.kinds[slot] = record.Kind
		c.setDate(slot, record.Date())
		c.formats.fill(slot, record.Format, formats)
		c.cameras.fill(slot, cameraOf(record), cameras)
		folder, one := folderOf(record)
		c.folders.fill(slot, folder, folders)
		if one {
			c.flags[slot] |= flagOneFolder
		}
		if len(record.Tags)+len(record.Metadata.Keywords) > 0 {
			c.flags[slot] |= flagTags
		}
		if len(record.Metadata.People) > 0 {
			c.flags[slot] |= flagPeople
		}
		c.ratings[slot] = ratingOf(record)
		date := datingOf(record)
		c.offsets[slot] = date.offset
		if date.taken {
			c.flags[slot] |= flagTaken
		}
		if date.offsetKnown {
			c.flags[slot] |= flagOffset
		}
		if record.Metadata.Latitude != nil && record.Metadata.Longitude != nil {
			c.flags[slot] |= flagPlace
		}
	}
	return c
}

func (c *columns) setDate(slot int, date time.Time) {
	m := momentOf(date)
	c.seconds[slot], c.nanoseconds[slot], c.years[slot] = m.seconds, m.nanoseconds, int32(date.Year())
}

// dating is what date filters compare.
type dating struct {
	date moment // of Record.Date
	// taken says that the date is what the camera's clock showed. It was offset
	// seconds ahead of UTC, where offsetKnown.
	taken, offsetKnown bool
	offset             int32
}

func datingOf(r *index.Record) dating {
	d := dating{date: momentOf(r.Date()), taken: !r.Metadata.Taken.IsZero()}
	if d.taken && r.Metadata.TakenOffset != nil {
		d.offset, d.offsetKnown = int32(*r.Metadata.TakenOffset/time.Second), true
	}
	return d
}

func (c *columns) dating(slot uint8) dating {
	return dating{
		date: c.moment(slot), taken: c.flags[slot]&flagTaken != 0,
		offsetKnown: c.flags[slot]&flagOffset != 0, offset: c.offsets[slot],
	}
}

func ratingOf(r *index.Record) int8 {
	if r.Metadata.Rating == nil {
		return unrated
	}
	return int8(*r.Metadata.Rating)
}

// moment is the date of a slot's record.
func (c *columns) moment(slot uint8) moment {
	return moment{c.seconds[slot], c.nanoseconds[slot]}
}

// folderOf is the folder of a record's files; false when there is none or more
// than one, the folders that files were uploaded into included.
func folderOf(r *index.Record) (string, bool) {
	if len(r.Files) == 0 {
		return "", false
	}
	folder := parentOf(r.Files[0].Path)
	for _, file := range r.Files {
		if parentOf(file.Path) != folder || file.NamedFolder() != "" {
			return "", false
		}
	}
	return folder, true
}

// moment is a time without a place, for comparing.
type moment struct {
	seconds     int64
	nanoseconds int32
}

func momentOf(t time.Time) moment {
	return moment{t.Unix(), int32(t.Nanosecond())}
}

// isZero reports whether it is the zero time, which is no date.
func (m moment) isZero() bool { return m == momentOf(time.Time{}) }

func (m moment) before(other moment) bool {
	return m.seconds < other.seconds || m.seconds == other.seconds && m.nanoseconds < other.nanoseconds
}

func (m moment) compare(other moment) int {
	return cmp.Or(cmp.Compare(m.seconds, other.seconds), cmp.Compare(m.nanoseconds, other.nanoseconds))
}
