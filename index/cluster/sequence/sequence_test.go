package sequence

import (
	"context"
	"testing"

	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects/objectstest"
	"mekiki/index/indextest"
)

// overtaken is a store in which somebody else writes between reading an object and writing it.
type overtaken struct {
	*objectstest.Memory
	t *testing.T
}

func (s overtaken) PutIf(ctx context.Context, key string, data []byte, tag string) (string, error) {
	_, err := Announce(ctx, s.Memory, 100)
	indextest.Must(s.t, err)
	return s.Memory.PutIf(ctx, key, data, tag)
}

// TestNumbersGrow: each change is announced by a larger number, whatever the clock of who made it says.
func TestNumbersGrow(t *testing.T) {
	store, ctx := objectstest.New(), t.Context()
	read := func() uint64 {
		t.Helper()
		number, _, err := Read(ctx, store)
		indextest.Must(t, err)
		return number
	}
	for _, step := range []struct{ change, want uint64 }{{7, 7}, {9, 9}, {5, 10}, {10, 11}, {50, 50}} {
		number, err := Announce(ctx, store, step.change)
		if indextest.Must(t, err); number != step.want || read() != step.want {
			t.Errorf("change %d is announced as %d, and read as %d, expected %d", step.change, number, read(), step.want)
		}
	}
	// Another change that is announced at the same moment announces this one, too.
	_, err := Announce(ctx, overtaken{store, t}, 60)
	if indextest.Must(t, err); read() != 100 {
		t.Errorf("read %d", read())
	}
	for _, damaged := range []string{"", "{", "-1", "99999999999999999999999"} {
		indextest.Must(t, store.Put(ctx, form.SequenceKey, []byte(damaged)))
		if number := read(); number != 0 {
			t.Errorf("%q is %d", damaged, number)
		}
		_, err := Announce(ctx, store, 200)
		if indextest.Must(t, err); read() != 200 {
			t.Errorf("after %q it is %d", damaged, read())
		}
	}
}
