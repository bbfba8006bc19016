package index

import "math"

// Layout is what it takes to lay out all images of a list: columns of one length, in the
// order of the list.
type Layout struct {
	// IDs are the images.
	IDs []ID
	// Ratios are widths divided by heights, in thousandths.
	Ratios []uint32
	// Days are the days of [Record.Date] in UTC, counted from 1970-01-01; [NoDay] where
	// there is no date.
	Days []int32
}

// NoDay stands for the day of what has no date.
const NoDay = math.MinInt32

// Ratio is the width of the picture divided by its height, in thousandths: at least 1,
// and 1000 where the size is not known.
func (r *Record) Ratio() uint32 {
	if r.Width <= 0 || r.Height <= 0 {
		return 1000
	}
	ratio := math.Round(1000 * float64(r.Width) / float64(r.Height))
	return uint32(min(max(ratio, 1), math.MaxUint32))
}
