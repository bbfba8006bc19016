package bring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mekiki/index"
	"mekiki/internal/undolog"
)

// Source reads one program's pictures into a sink. It stops with the sink's error, and with the context's.
type Source func(ctx context.Context, sink Sink) error

// Options say how a source is taken over.
type Options struct {
	// Mappings say where folders of the other program lie here.
	Mappings []Mapping
	// Overwrite lets the source win where people gave another value in Mekiki.
	Overwrite bool
	// Dates takes over dates too, where they are not the file's own.
	Dates bool
	// DryRun finds out what would change and changes nothing.
	DryRun bool
	// Folder is the library's, in which the journal is kept.
	Folder string
	// Apply makes edits, all or none of them.
	Apply func(ctx context.Context, edits []Edit) error
	// Progress, unless nil, is called with the pictures that were read of the source, and then with the records changed.
	Progress func(stage string, done, total int)
	// Now gives the time; nil means the clock.
	Now func() time.Time
}

// Unmatched is a picture of a source that the library does not have.
type Unmatched struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Report says what a run took over, or would.
type Report struct {
	// Run is the name of the run in the journal; "" where nothing changed.
	Run    string `json:"run,omitempty"`
	DryRun bool   `json:"dry_run"`
	// Pictures counts those of the source of which it says anything, Matched those the library has, by how they were found.
	Pictures int         `json:"pictures"`
	Matched  map[How]int `json:"matched"`
	// Changed counts records, and the next ones what they were given.
	Changed      int `json:"changed"`
	Tags         int `json:"tags"`
	Albums       int `json:"albums"`
	People       int `json:"people"`
	Ratings      int `json:"ratings"`
	Favourites   int `json:"favourites"`
	Titles       int `json:"titles"`
	Descriptions int `json:"descriptions"`
	Dates        int `json:"dates"`
	// Conflicts, Unmatched and Problems count; the lists have at most 1,000 each.
	Conflicts     int         `json:"conflicts"`
	Unmatched     int         `json:"unmatched"`
	Problems      int         `json:"problems"`
	ConflictList  []Conflict  `json:"conflict_list"`
	UnmatchedList []Unmatched `json:"unmatched_list"`
	ProblemList   []Problem   `json:"problem_list"`
}

// Run takes over what a source says of the pictures of a library. When ctx ends, what was done until then stays and is in
// the report; a second run goes on from there, since what a record says is not given again.
func Run(ctx context.Context, reader index.Reader, source Source, options Options) (report Report, err error) {
	r := &run{options: options, matcher: matcher{reader: reader, mappings: options.Mappings}, items: map[index.ID]Item{}, records: map[index.ID]*index.Record{}}
	r.report = Report{DryRun: options.DryRun, Matched: map[How]int{}, ConflictList: []Conflict{}, UnmatchedList: []Unmatched{}, ProblemList: []Problem{}}
	if err := r.read(ctx, source); err != nil {
		return r.report, err
	}
	edits, formers := r.plan()
	if options.DryRun || len(edits) == 0 {
		return r.report, nil
	}
	return r.report, r.apply(ctx, edits, formers)
}

type run struct {
	options Options
	matcher matcher
	report  Report
	order   []index.ID // of records, as the source has them
	items   map[index.ID]Item
	records map[index.ID]*index.Record
}

// read finds the records of what a source says.
func (r *run) read(ctx context.Context, source Source) error {
	seen := 0
	return source(ctx, Sink{
		Problem: func(p Problem) {
			r.report.Problems++
			if len(r.report.ProblemList) < listed {
				r.report.ProblemList = append(r.report.ProblemList, p)
			}
		},
		Item: func(item Item) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if seen++; seen > MaximumItems {
				return fmt.Errorf("the source has more than %d pictures", MaximumItems)
			}
			if r.options.Progress != nil {
				r.options.Progress("Reading", seen, 0)
			}
			if !r.options.Dates {
				item.Date = time.Time{}
			}
			return r.add(ctx, item.clean())
		},
	})
}

func (r *run) add(ctx context.Context, item Item) error {
	if !item.says() {
		return nil
	}
	r.report.Pictures++
	record, how, err := r.matcher.find(ctx, item)
	if errors.Is(err, errUnmatched) {
		r.report.Unmatched++
		if len(r.report.UnmatchedList) < listed {
			where := item.Path
			if where == "" {
				where = item.Name
			}
			r.report.UnmatchedList = append(r.report.UnmatchedList, Unmatched{where, err.Error()})
		}
		return nil
	}
	if err != nil {
		return err
	}
	r.report.Matched[how]++
	if former, known := r.items[record.ID]; known {
		r.items[record.ID] = former.together(item)
		return nil
	}
	r.order = append(r.order, record.ID)
	r.items[record.ID], r.records[record.ID] = item, record
	return nil
}

// plan gives what is to be done, and what records were given before.
func (r *run) plan() (edits []Edit, formers []index.Given) {
	for _, id := range r.order {
		record := r.records[id]
		edit, conflicts := editOf(record, r.items[id], r.options.Overwrite)
		for _, conflict := range conflicts {
			r.report.Conflicts++
			if len(r.report.ConflictList) < listed {
				r.report.ConflictList = append(r.report.ConflictList, conflict)
			}
		}
		if edit.IsZero() {
			continue
		}
		former := index.Given{}
		if record.Given != nil {
			former = *record.Given
		}
		edits, formers = append(edits, edit), append(formers, former)
		if r.options.DryRun {
			r.count(edit)
		}
	}
	return edits, formers
}

// count counts an edit in the report.
func (r *run) count(edit Edit) {
	report := &r.report
	report.Changed++
	report.Tags += len(edit.AddTags)
	report.Albums += len(edit.AddCollections)
	report.People += len(edit.AddPeople)
	for member, counter := range map[index.GivenMembers]*int{
		index.GivenRating: &report.Ratings, index.GivenFavourite: &report.Favourites, index.GivenTitle: &report.Titles,
		index.GivenDescription: &report.Descriptions, index.GivenDate: &report.Dates,
	} {
		if edit.Set&member != 0 {
			*counter++
		}
	}
}

// apply makes the edits, piece by piece; each is in the journal first.
func (r *run) apply(ctx context.Context, edits []Edit, formers []index.Given) (err error) {
	now := time.Now
	if r.options.Now != nil {
		now = r.options.Now
	}
	j, err := undolog.Open[line](ctx, journalOf(r.options.Folder), now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	for at := 0; at < len(edits); at += changesAtOnce {
		if err := ctx.Err(); err != nil {
			return err
		}
		end := min(at+changesAtOnce, len(edits))
		if err := j.Note(linesOf(edits[at:end], formers[at:end])...); err != nil {
			return err
		}
		if err := r.options.Apply(ctx, edits[at:end]); err != nil {
			return err
		}
		r.report.Run = j.Run()
		for _, edit := range edits[at:end] {
			r.count(edit)
		}
		if r.options.Progress != nil {
			r.options.Progress("Changing", end, len(edits))
		}
	}
	return nil
}
