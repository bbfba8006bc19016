package filters

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"mekiki/index"
	"mekiki/index/keyword"
)

// megapixel is a million pixels.
const megapixel = 1_000_000

// sizeClass is a range of sizes that has a name.
type sizeClass struct {
	name string
	// below is the size in megapixels from which on the next class begins.
	below float64
}

// sizeClasses are in order of size. Screens up to 1,280 x 800 have a megapixel, those of 4K have 8.3; cameras
// of today begin at 20.
func sizeClasses() []sizeClass {
	return []sizeClass{{"small", 1}, {"medium", 8}, {"large", 20}, {"huge", math.Inf(1)}}
}

// classRange gives the sizes of a class; false where there is none of this name.
func classRange(name string) (index.SizeRange, bool) {
	least := 0.0
	for _, class := range sizeClasses() {
		if class.name == name {
			return sizeRange(least, class.below), true
		}
		least = class.below
	}
	return index.SizeRange{}, false
}

// SizeClassOf gives the name of the class of a picture's size; "" for what has no size.
func SizeClassOf(r *index.Record) string {
	pixels := pixelsOf(r)
	if pixels == 0 {
		return ""
	}
	classes := sizeClasses()
	i := slices.IndexFunc(classes, func(class sizeClass) bool { return float64(pixels) < class.below*megapixel })
	return classes[i].name
}

func pixelsOf(r *index.Record) int64 { return int64(r.Width) * int64(r.Height) }

// sizeRange is a range of megapixels, without its upper end.
func sizeRange(least, below float64) index.SizeRange {
	bound := func(megapixels float64) int64 {
		if megapixels*megapixel >= math.MaxInt64/2 {
			return math.MaxInt64
		}
		return int64(math.Ceil(megapixels*megapixel - 1e-6))
	}
	return index.SizeRange{Least: bound(least), Below: bound(below)}
}

func countSizes() *Counted {
	place := func(name string) int {
		return slices.IndexFunc(sizeClasses(), func(class sizeClass) bool { return class.name == name })
	}
	return &Counted{
		Facet: "sizes", Fold: keyword.Fold,
		Add:     func(sizes []string, r *index.Record) []string { return append(sizes, SizeClassOf(r)) },
		Compare: func(a, b string) int { return cmp.Compare(place(a), place(b)) },
	}
}

func setSize(f *index.Filter, value string, _ Reading) error {
	size, ok := parseSize(value)
	if !ok {
		return &ValueError{
			Problem: strconv.Quote(value) + " is no size",
			Remedy:  "write small, medium, large or huge, or megapixels, as in size:>=12, size:<2 or size:2..8",
		}
	}
	f.Sizes = append(f.Sizes, size)
	return nil
}

// parseSize reads a class or a range of megapixels: "large", ">=12", "<2" or "2..8".
func parseSize(value string) (index.SizeRange, bool) {
	value = strings.ToLower(strings.TrimSpace(value))
	if class, known := classRange(value); known {
		return class, true
	}
	ok := true
	number := func(text string) float64 {
		parsed, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		ok = ok && err == nil && parsed >= 0 && !math.IsInf(parsed, 0)
		return parsed
	}
	least, below := 0.0, math.Inf(1)
	switch first, last, between := strings.Cut(value, ".."); {
	case between:
		least, below = number(first), number(last)
	case strings.HasPrefix(value, ">="):
		least = number(value[2:])
	case strings.HasPrefix(value, "<"):
		below = number(value[1:])
	default:
		return index.SizeRange{}, false
	}
	if !ok || least >= below {
		return index.SizeRange{}, false
	}
	return sizeRange(least, below), true
}

// matchesSize reports whether a size in pixels lies in one of some ranges.
func matchesSize(ranges []index.SizeRange, pixels int64) bool {
	return pixels > 0 && slices.ContainsFunc(ranges, func(wanted index.SizeRange) bool {
		return wanted.Least <= pixels && pixels < wanted.Below
	})
}
