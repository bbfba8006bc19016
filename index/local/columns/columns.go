package columns

import (
	"context"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"
	"unique"

	"golang.org/x/sync/errgroup"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/local/catalog"
	"mekiki/internal/bitset"
	"mekiki/internal/lru"
)

// columns are what filters, orders and counts ask of a page's records, side by
// side in memory: a million records are looked through without looking for each.
type columns struct {
	slots       []uint8 // those that have a record
	kinds       [catalog.PageSize]index.Kind
	seconds     [catalog.PageSize]int64 // since 1970, of Record.Date
	nanoseconds [catalog.PageSize]int32
	years       [catalog.PageSize]int32
	formats     category[string]
	cameras     category[filters.CameraNames]
	folders     category[string] // of the file of a record that has one
	sizes       category[string] // the names of their classes
	days        [catalog.PageSize]dayCode
	ratings     [catalog.PageSize]int8
	ratios      [catalog.PageSize]uint32
	offsets     [catalog.PageSize]int32 // of the camera's clock, in seconds ahead of UTC
	flags       [catalog.PageSize]columnFlags
	inOneFolder bool        // all are, each in the one that the column names
	anyFlags    columnFlags // those that one of the records has
	// earliest and latest are the slots of the first and the last date, where dates differ in nothing else: alike says so.
	earliest, latest uint8
	alike            bool
}

// columnFlags say what must be asked of the record itself.
type columnFlags uint16

const (
	flagTags        columnFlags = 1 << iota // it has tags or keywords
	flagPlace                               // it has a place
	flagOneFolder                           // it has files, all in the folder that the column names
	flagPeople                              // it names people
	flagTaken                               // its date is when it was taken
	flagOffset                              // the offset of its clock is known
	flagCollections                         // it is in collections
	flagFavourite
	flagHidden
	flagTrash
	flagOCR // there are words in its picture
)

// category is a column of values that many records share.
type category[T comparable] struct {
	values []unique.Handle[T]      // the different ones, in no order; all pages share their memory
	of     [catalog.PageSize]uint8 // which of them, by slot
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

// Table holds the columns of a state's records, page by page. It is immutable,
// but for the columns of a page, which are made when first asked for.
type Table struct {
	pages      []*Page
	withheld   bool // some records are hidden or in the trash
	selections selections
}

// Page is one page of records and its columns.
type Page struct {
	first   index.ID // of slot 0
	records *catalog.Page[*index.Record]
	made    atomic.Pointer[columns]
}

// New makes the columns of a state without records.
func New() *Table {
	return &Table{selections: selections{kept: lru.New[string, bitset.Set](keptFilters)}}
}

// Next gives the columns of another state: pages that did not change keep theirs.
// withheld says that some of them are hidden or in the trash.
func (t *Table) Next(records catalog.Table[*index.Record], withheld bool) *Table {
	next := New()
	next.pages, next.withheld = make([]*Page, len(records.Pages)), withheld
	for number, p := range records.Pages {
		switch {
		case p == nil:
		case t != nil && number < len(t.pages) && t.pages[number] != nil && t.pages[number].records == p:
			next.pages[number] = t.pages[number]
		default:
			next.pages[number] = &Page{first: index.ID(number * catalog.PageSize), records: p}
		}
	}
	return next
}

// Compile makes a filter ready to be asked about the records; nil for one that all pass.
func (t *Table) Compile(filter index.Filter) *filters.Matcher {
	return filters.CompileAmong(filter, t.withheld)
}

// MakeAll makes the columns of all pages that have none, so that the first filter
// need not.
func (t *Table) MakeAll(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		group.Go(func() error {
			for number := worker; number < len(t.pages) && ctx.Err() == nil; number += workers {
				if p := t.pages[number]; p != nil {
					p.columns()
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// columns gives the page's columns.
func (p *Page) columns() *columns {
	if made := p.made.Load(); made != nil {
		return made
	}
	made := newColumns(p.records)
	p.made.Store(made)
	return made
}

func newColumns(p *catalog.Page[*index.Record]) *columns {
	c := &columns{slots: present(p, nil), inOneFolder: true}
	formats, cameras, folders, sizes := map[string]uint8{}, map[filters.CameraNames]uint8{}, map[string]uint8{}, map[string]uint8{}
	for slot, record := range p.Values {
		if !p.Present[slot] {
			continue
		}
		c.kinds[slot], c.ratios[slot] = record.Kind, record.Ratio()
		c.setDate(slot, record.Date())
		c.formats.fill(slot, record.Format, formats)
		c.cameras.fill(slot, filters.CameraOf(record), cameras)
		c.sizes.fill(slot, filters.SizeClassOf(record), sizes)
		folder, one := folderOf(record)
		c.folders.fill(slot, folder, folders)
		if one {
			c.flags[slot] |= flagOneFolder
		}
		c.inOneFolder = c.inOneFolder && one
		if len(record.Tags)+len(record.Metadata.Keywords) > 0 {
			c.flags[slot] |= flagTags
		}
		if len(record.People()) > 0 {
			c.flags[slot] |= flagPeople
		}
		c.ratings[slot] = filters.RatingOf(record)
		date := filters.DateOf(record)
		c.offsets[slot] = date.Offset
		if date.Taken {
			c.flags[slot] |= flagTaken
		}
		if date.OffsetKnown {
			c.flags[slot] |= flagOffset
		}
		c.flags[slot] |= givenFlags(record)
		if record.Metadata.Latitude != nil && record.Metadata.Longitude != nil {
			c.flags[slot] |= flagPlace
		}
		if record.OCR != nil && len(record.OCR.Lines) > 0 {
			c.flags[slot] |= flagOCR
		}
	}
	for _, flags := range c.flags {
		c.anyFlags |= flags
	}
	c.compareDates(p)
	return c
}

// compareDates finds out whether the dates of a page differ in nothing but when they are, and which are first and last.
func (c *columns) compareDates(p *catalog.Page[*index.Record]) {
	const dateFlags = flagTaken | flagOffset
	for slot, present := range p.Present {
		if !present {
			continue
		}
		slot := uint8(slot)
		if !c.alike {
			c.earliest, c.latest, c.alike = slot, slot, true
			continue
		}
		if c.flags[slot]&dateFlags != c.flags[c.earliest]&dateFlags || c.offsets[slot] != c.offsets[c.earliest] {
			c.alike = false
			return
		}
		if c.moment(slot).Compare(c.moment(c.earliest)) < 0 {
			c.earliest = slot
		}
		if c.moment(slot).Compare(c.moment(c.latest)) > 0 {
			c.latest = slot
		}
	}
}

func givenFlags(r *index.Record) (flags columnFlags) {
	if r.Given == nil {
		return 0
	}
	if len(r.Collections()) > 0 {
		flags |= flagCollections
	}
	if r.Favourite() {
		flags |= flagFavourite
	}
	if r.Hidden() {
		flags |= flagHidden
	}
	if r.InTrash() {
		flags |= flagTrash
	}
	return flags
}

func (c *columns) setDate(slot int, date time.Time) {
	m := filters.MomentOf(date)
	year, month, day := date.Date()
	c.seconds[slot], c.nanoseconds[slot], c.years[slot] = m.Seconds, m.Nanoseconds, int32(year)
	c.days[slot] = dayCodeOf(date, year, month, day)
}

func (c *columns) dating(slot uint8) filters.Date {
	return filters.Date{
		Date: c.moment(slot), Taken: c.flags[slot]&flagTaken != 0,
		OffsetKnown: c.flags[slot]&flagOffset != 0, Offset: c.offsets[slot],
	}
}

// moment is the date of a slot's record.
func (c *columns) moment(slot uint8) filters.Moment {
	return filters.Moment{Seconds: c.seconds[slot], Nanoseconds: c.nanoseconds[slot]}
}

// folderOf is the folder of a record's files; false when there is none or more
// than one, the folders that files were uploaded into included.
func folderOf(r *index.Record) (string, bool) {
	if len(r.Files) == 0 {
		return "", false
	}
	folder := filepath.Dir(r.Files[0].Path)
	for i, file := range r.Files {
		if i > 0 && filepath.Dir(file.Path) != folder || file.NamedFolder() != "" {
			return "", false
		}
	}
	return folder, true
}
