package filters

import (
	"reflect"
	"testing"
	"time"

	"mekiki/index"
)

// TestJoinedFiltersForgetNothing joins each field of a filter with a filter that has
// nothing of it, and with one of another field.
func TestJoinedFiltersForgetNothing(t *testing.T) {
	yes := true
	moment := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	full := index.Filter{
		Kinds: []index.Kind{index.KindImage}, Folders: []string{"a"}, After: moment, Before: moment.AddDate(1, 0, 0), AfterZoned: true, BeforeZoned: true,
		Taken: &yes, Cameras: []string{"c"}, Tags: []string{"t"}, People: []string{"p"}, Ratings: []index.RatingRange{{Least: 1, Most: 2}}, Sizes: []index.SizeRange{{Least: 1, Below: 2}},
		OCR: []string{"o"}, Formats: []string{"png"}, Near: &index.Near{Kilometres: 1},
		Collections: []string{"b"}, Favourite: &yes, Hidden: index.ChoiceOnly, Trash: index.ChoiceInclude, IDs: []index.ID{4},
	}
	for i := range reflect.TypeFor[index.Filter]().NumField() {
		if reflect.ValueOf(full).Field(i).IsZero() {
			t.Fatalf("the field %s is not tried", reflect.TypeFor[index.Filter]().Field(i).Name)
		}
	}
	for _, pair := range [][2]index.Filter{{full, {}}, {{}, full}, {full, full}} {
		if joined, ok := Join(pair[0], pair[1]); !ok || !reflect.DeepEqual(joined, full) {
			t.Errorf("%+v and %+v make %+v, %v", pair[0], pair[1], joined, ok)
		}
	}
	other := full
	other.AfterZoned = false
	if _, ok := Join(full, other); ok {
		t.Error("a moment and the time of a clock were joined")
	}
	other = full
	other.After = moment.In(time.FixedZone("", 3600))
	if _, ok := Join(full, other); ok {
		t.Error("moments in two zones were joined")
	}
	for _, other := range []index.Filter{{People: []string{"q"}}, {Ratings: []index.RatingRange{{Unrated: true}}}, {Taken: new(bool)}} {
		if _, ok := Join(full, other); ok {
			t.Errorf("%+v was joined with another of its kind", other)
		}
	}
}
