package duplicates

import (
	"slices"

	"mekiki/embed/pixels"
	"mekiki/index"
)

// Reason says in a word why a picture is the best of its group.
type Reason string

// The reasons, in the order in which they count: the first in which two pictures differ says which is the better one.
const (
	// ReasonLargest: it has the most pixels.
	ReasonLargest Reason = "largest"
	// ReasonFormat: its format is nearer to what a camera or a scanner writes; see [formatRank].
	ReasonFormat Reason = "original_format"
	// ReasonCared: somebody gave it tags, a rating, a title, a date or a collection, or likes it.
	ReasonCared Reason = "cared_for"
	// ReasonDated: it says when it was taken.
	ReasonDated Reason = "dated"
	// ReasonDetailed: its file says more about itself: camera, place, title, description, keywords, people.
	ReasonDetailed Reason = "more_details"
	// ReasonBytes: its file is the longest, so that it was compressed least.
	ReasonBytes Reason = "least_compressed"
	// ReasonFirst: it came into the library first.
	ReasonFirst Reason = "first_added"
)

// inOrder are the reasons in the order in which they count.
func inOrder() [7]Reason {
	return [...]Reason{ReasonLargest, ReasonFormat, ReasonCared, ReasonDated, ReasonDetailed, ReasonBytes, ReasonFirst}
}

// standing is what a picture has of each reason, in their order. More is better.
func standing(r *index.Record) [7]int64 {
	return [...]int64{
		int64(r.Width) * int64(r.Height), formatRank(r.Format), careFor(r), truth(!r.Taken().IsZero()), details(r), r.Bytes, -int64(r.ID),
	}
}

// formatRank is how near to the camera a format is: raw files; then what cameras and scanners write without or with
// little loss; then JPEG and PNG; then what pictures are converted to for the web.
func formatRank(format string) int64 {
	switch pixels.Format(format) {
	case pixels.RAW:
		return 3
	case pixels.TIFF, pixels.HEIC:
		return 2
	case pixels.JPEG, pixels.PNG, pixels.JXL:
		return 1
	}
	return 0
}

// careFor counts what people gave a picture.
func careFor(r *index.Record) int64 {
	count := int64(len(r.Tags))
	if given := r.Given; given != nil {
		count += int64(len(given.Collections)) + truth(given.Favourite) + truth(given.Title != "") + truth(!given.Date.IsZero()) +
			truth(given.Rating != nil)
	}
	return count
}

// details counts what a file says about itself.
func details(r *index.Record) int64 {
	m := &r.Metadata
	return truth(m.Camera != "") + truth(m.Lens != "") + truth(m.Place != "") + truth(m.Latitude != nil) + truth(m.Title != "") +
		truth(m.Description != "") + truth(m.Creator != "") + truth(m.Copyright != "") + truth(m.Rating != nil) +
		int64(len(m.Keywords)+len(m.People))
}

func truth(holds bool) int64 {
	if holds {
		return 1
	}
	return 0
}

// Better is negative where a is the better one to keep of two pictures that show the same, and positive where b is.
func Better(a, b *index.Record) int { return compare(standing(a), standing(b)) }

func compare(a, b [7]int64) int { return slices.Compare(b[:], a[:]) }

// Reasons says why the first of some pictures, the best, is the one to keep: in what it is better than at least one of the
// others, while none of them is better than it. That it came first is said only where there is nothing else.
func Reasons(best *index.Record, others []*index.Record) []Reason {
	var reasons []Reason
	own := standing(best)
	better, worse := [7]bool{}, [7]bool{}
	for _, other := range others {
		for i, value := range standing(other) {
			better[i], worse[i] = better[i] || own[i] > value, worse[i] || own[i] < value
		}
	}
	for i, reason := range inOrder() {
		if better[i] && !worse[i] && reason != ReasonFirst {
			reasons = append(reasons, reason)
		}
	}
	if len(reasons) == 0 {
		reasons = []Reason{ReasonFirst}
	}
	return reasons
}

// ByPreference gives the records in another slice, so that the one to keep comes first.
func ByPreference(records []*index.Record) []*index.Record {
	type standingRecord struct {
		record   *index.Record
		standing [7]int64
	}
	all := make([]standingRecord, len(records))
	for i, record := range records {
		all[i] = standingRecord{record, standing(record)}
	}
	slices.SortFunc(all, func(a, b standingRecord) int { return compare(a.standing, b.standing) })
	ordered := make([]*index.Record, len(all))
	for i := range all {
		ordered[i] = all[i].record
	}
	return ordered
}
