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
		if m := Compile(filter); len(m.asked) != 1 || m.asked[0].name != field.Name {
			t.Errorf("%s compiles to %+v", field.Example, m.asked)
		}
		if again := field.Set(&filter, strings.Trim(value, `"`), Reading{}); (again == nil) != field.Repeatable && field.Name != Taken {
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
		if !filter.IsZero() || Compile(filter) != nil {
			t.Errorf("%+v limits", filter)
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
