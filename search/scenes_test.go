package search

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"mekiki/index"
	"mekiki/search/duplicates"
)

// manyShots is a world of some scenes with shots each.
func manyShots(scenes, shots int) *world {
	w := newWorld()
	things := []string{"cat", "dog", "boat", "pizza", "car", "tree", "house", "bear", "lake", "bird"}
	for scene := range scenes {
		for shot := range shots {
			record := w.add("/x.jpg", things[scene%len(things)], things[(scene/len(things)+scene+1)%len(things)])
			if shot > 0 { // a little beside the first
				w.shot(record.ID, record.ID-index.ID(shot))
			}
		}
	}
	for _, record := range w.records {
		record.Hash[0], record.Hash[1] = byte(record.ID), 1
	}
	return w
}

// shot makes a picture one of another's scene.
func (w *world) shot(id, of index.ID) {
	parts := w.parts[of]
	parts.Values = slices.Clone(parts.Values)
	for row := range parts.Count {
		parts.Values[row*parts.Width+int(id)%parts.Width] += 0.1
		unit(parts.Row(row))
	}
	w.parts[id] = parts
}

// groupsOf gives the ids of the members of groups.
func groupsOf(response duplicates.Response) [][]index.ID {
	var ids [][]index.ID
	for _, group := range response.Groups {
		var members []index.ID
		for _, member := range group.Members {
			members = append(members, member.ID)
		}
		slices.Sort(members[1:])
		ids = append(ids, members)
	}
	return ids
}

// TestScenesAreComparedOnce compares a library, lets pictures come and go, and counts what is compared again: with a file
// that outlives the searcher, and with one that is damaged.
func TestScenesAreComparedOnce(t *testing.T) {
	w := manyShots(6, 3)
	file := filepath.Join(t.TempDir(), "scenes.pairs")
	scenes := duplicates.Request{Level: duplicates.LevelScene, Similarity: 0.9}
	open := func() *Searcher { return newTestSearcher(t, w, Options{Scenes: duplicates.NewKept(file, nil)}) }
	compare := func(s *Searcher, want int) duplicates.Response {
		t.Helper()
		done, err := s.CompareScenes(t.Context(), nil)
		if err != nil || done.Compared != want {
			t.Fatalf("compared %+v, wanted %d: %v", done, want, err)
		}
		response := duplicatesOf(t, s, scenes)
		if response.Pending != 0 {
			t.Errorf("%d are pending", response.Pending)
		}
		return response
	}
	s := open()
	if before := duplicatesOf(t, s, scenes); before.Pending != 18 || before.Total != 0 || before.Examined != 0 {
		t.Errorf("before comparing: %+v", before)
	}
	first := compare(s, 18)
	fresh := duplicatesOf(t, s, duplicates.Request{Level: duplicates.LevelScene, Similarity: 0.8})
	if first.Total == 0 || !reflect.DeepEqual(groupsOf(first), groupsOf(fresh)) {
		t.Errorf("%d groups, and compared at once %d", first.Total, fresh.Total)
	}
	if again := compare(open(), 0); !reflect.DeepEqual(groupsOf(again), groupsOf(first)) {
		t.Errorf("the file gives %+v", groupsOf(again))
	}
	w.shot(w.add("/new.jpg", w.things[1]...).ID, 1)
	grown := compare(open(), 1)
	if members := len(grown.Groups[0].Members); members != len(first.Groups[0].Members)+1 {
		t.Errorf("the largest group has %d members after one more came", members)
	}
	w.records[1].Hash[5]++ // other content under the same id
	compare(open(), 1)
	delete(w.records, 2)
	for _, group := range groupsOf(compare(open(), 0)) {
		for _, id := range group {
			if id == 2 {
				t.Error("a removed picture is in a group")
			}
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for at := range data {
		damaged := append([]byte{}, data...)
		damaged[at] ^= 0x10
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if response := duplicatesOf(t, open(), scenes); response.Pending != 18 {
			t.Fatalf("byte %d is damaged, and %d are pending", at, response.Pending)
		}
	}
	compare(open(), 18)
}
