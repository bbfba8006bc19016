package columns

import (
	"reflect"
	"testing"
	"time"

	"mekiki/index"
)

// filterSamples has, for every field of a filter, two values that differ.
func filterSamples() map[string][2]index.Filter {
	yes, no := true, false
	moment := time.Date(2024, 3, 1, 1, 0, 0, 0, time.FixedZone("", 9*3600))
	return map[string][2]index.Filter{
		"Kinds":       {{Kinds: []index.Kind{index.KindImage}}, {Kinds: []index.Kind{index.KindText}}},
		"Folders":     {{Folders: []string{"a"}}, {Folders: []string{"b"}}},
		"After":       {{After: moment}, {After: moment.Add(1)}},
		"Before":      {{Before: moment}, {Before: moment.Add(1)}},
		"AfterZoned":  {{After: moment}, {After: moment, AfterZoned: true}},
		"BeforeZoned": {{Before: moment}, {Before: moment, BeforeZoned: true}},
		"Taken":       {{Taken: &yes}, {Taken: &no}},
		"Cameras":     {{Cameras: []string{"a"}}, {Cameras: []string{"b"}}},
		"Tags":        {{Tags: []string{"a b"}}, {Tags: []string{"a", "b"}}},
		"People":      {{People: []string{"a"}}, {People: []string{"b"}}},
		"Ratings":     {{Ratings: []index.RatingRange{{Least: 1, Most: 2}}}, {Ratings: []index.RatingRange{{Unrated: true}}}},
		"Sizes":       {{Sizes: []index.SizeRange{{Least: 1, Below: 2}}}, {Sizes: []index.SizeRange{{Least: 1, Below: 3}}}},
		"OCR":         {{OCR: []string{"a"}}, {OCR: []string{"b"}}},
		"Formats":     {{Formats: []string{"png"}}, {Formats: []string{"gif"}}},
		"Near":        {{Near: &index.Near{Latitude: 1, Longitude: 2, Kilometres: 3}}, {Near: &index.Near{Latitude: 1, Longitude: 2, Kilometres: 4}}},
		"Collections": {{Collections: []string{"a"}}, {Collections: []string{"b"}}},
		"Favourite":   {{Favourite: &yes}, {Favourite: &no}},
		"Hidden":      {{Hidden: index.ChoiceOnly}, {Hidden: index.ChoiceInclude}},
		"Trash":       {{Trash: index.ChoiceOnly}, {Trash: index.ChoiceInclude}},
		"IDs":         {{IDs: []index.ID{1}}, {IDs: []index.ID{1, 2}}},
	}
}

// TestFilterKeysTellFiltersApart: a field that the key forgot would give the records
// of another filter.
func TestFilterKeysTellFiltersApart(t *testing.T) {
	samples := filterSamples()
	for field := range reflect.TypeFor[index.Filter]().Fields() {
		pair, there := samples[field.Name]
		if !there {
			t.Errorf("the filter's field %s has no sample here", field.Name)
			continue
		}
		if filterKey(pair[0]) == filterKey(pair[1]) || filterKey(pair[0]) == filterKey(index.Filter{}) {
			t.Errorf("%s: %s and %s are not told apart", field.Name, filterKey(pair[0]), filterKey(pair[1]))
		}
		if pair[0].IsZero() || pair[1].IsZero() {
			t.Errorf("%s: a filter that is not zero says that it is", field.Name)
		}
	}
}
