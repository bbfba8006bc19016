package filters

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mekiki/index"
)

// TestEachMemberOnce: every member of a filter belongs to one field, which sets it from
// its example alone.
func TestEachMemberOnce(t *testing.T) {
	owners := map[string]int{}
	for _, field := range Fields() {
		for _, member := range field.Of {
			owners[member]++
		}
		if field.Example == "" {
			continue
		}
		var filter index.Filter
		_, value, _ := strings.Cut(field.Example, ":")
		if err := field.Set(&filter, strings.Trim(value, `"`), Reading{}); err != nil || filter.IsZero() {
			t.Errorf("%s: the example %s makes %+v, %v", field.Member, field.Example, filter, err)
		}
		for i := range reflect.TypeFor[index.Filter]().NumField() {
			name := reflect.TypeFor[index.Filter]().Field(i).Name
			if !reflect.ValueOf(filter).Field(i).IsZero() && !slices.Contains(field.Of, name) {
				t.Errorf("%s sets %s, which it does not own", field.Member, name)
			}
		}
		if m := CompileAmong(filter, false); len(m.asked) != 1 || m.asked[0].name != field.Name {
			t.Errorf("%s compiles to %+v", field.Example, m.asked)
		}
		if again := field.Set(&filter, strings.Trim(value, `"`), Reading{}); (again == nil) != field.Repeatable && !slices.Contains([]Name{Taken, Favourite, Hidden, Trash}, field.Name) {
			t.Errorf("%s a second time: %v", field.Example, again)
		}
	}
	for i := range reflect.TypeFor[index.Filter]().NumField() {
		if name := reflect.TypeFor[index.Filter]().Field(i).Name; owners[name] != 1 {
			t.Errorf("%d fields own %s", owners[name], name)
		}
	}
}

// TestZeroFilters: what only says how another member is meant limits nothing.
func TestZeroFilters(t *testing.T) {
	for _, filter := range []index.Filter{{}, {AfterZoned: true, BeforeZoned: true}, {Tags: []string{}}, {After: time.Time{}.Local()}} {
		if !filter.IsZero() || CompileAmong(filter, false) != nil {
			t.Errorf("%+v limits", filter)
		}
	}
}

// TestWithheld: what is hidden or in the trash passes where it is asked for, and there alone.
func TestWithheld(t *testing.T) {
	plain, hidden := &index.Record{ID: 1}, &index.Record{ID: 2, Given: &index.Given{Hidden: true}}
	trashed := &index.Record{ID: 3, Given: &index.Given{Trashed: time.Unix(1, 0), Hidden: true}}
	for _, c := range []struct {
		filter                 index.Filter
		plain, hidden, trashed bool
	}{
		{index.Filter{}, true, false, false},
		{index.Filter{Hidden: index.ChoiceInclude}, true, true, false},
		{index.Filter{Hidden: index.ChoiceOnly}, false, true, false},
		{index.Filter{Trash: index.ChoiceInclude}, true, false, false},
		{index.Filter{Trash: index.ChoiceOnly}, false, false, false},
		{index.Filter{Trash: index.ChoiceOnly, Hidden: index.ChoiceInclude}, false, false, true},
		{index.Filter{IDs: []index.ID{1, 2, 3}}, true, true, true},
		{index.Filter{IDs: []index.ID{1, 2, 3}, Trash: index.ChoiceOnly}, false, false, true},
	} {
		m := Compile(c.filter)
		if m.Matches(plain) != c.plain || m.Matches(hidden) != c.hidden || m.Matches(trashed) != c.trashed {
			t.Errorf("%+v: %v %v %v", c.filter, m.Matches(plain), m.Matches(hidden), m.Matches(trashed))
		}
	}
}

// BenchmarkCompile makes a filter ready, as each leg of a search does.
func BenchmarkCompile(b *testing.B) {
	filter := index.Filter{Kinds: []index.Kind{index.KindImage}, Tags: []string{"dog"}}
	for b.Loop() {
		Compile(filter)
	}
}
