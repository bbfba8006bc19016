package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"mekiki/internal/clustertest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func id(i int) string { return fmt.Sprintf("%08x-0000-8000-8000-000000000000", i) }

// TestWeaviate makes every call of a real engine.
func TestWeaviate(t *testing.T) {
	cluster := clustertest.StartWeaviate(t, 1)
	client, err := Open(Options{Addresses: cluster.Addresses()})
	must(t, err)
	defer client.Close()
	_, err = client.Check(t.Context())
	must(t, err)
	nodes, err := client.Nodes(t.Context())
	if must(t, err); len(nodes) != 1 || !nodes[0].Healthy() {
		t.Errorf("nodes %+v", nodes)
	}
	photos := Collection{Name: "Photos", Shards: 2, Replicas: 1, Vectors: []string{"none"}, Properties: []Property{
		{"kind", Exact}, {"tags", ExactSet}, {"caption", Words}, {"record", Stored}, {"date", Number}, {"hidden", Truth},
	}}
	_, err = client.Collection(t.Context(), photos.Name)
	if !errors.Is(err, ErrAbsent) {
		t.Errorf("no collection: %v", err)
	}
	must(t, client.CreateCollection(t.Context(), photos))
	must(t, client.CreateCollection(t.Context(), photos))
	more := photos
	more.Properties = append(slices.Clone(more.Properties), Property{"tags", Number})
	if err := client.CreateCollection(t.Context(), more); !errors.Is(err, ErrSchema) {
		t.Errorf("another form: %v", err)
	}
	must(t, client.AddProperties(t.Context(), photos.Name, append(slices.Clone(photos.Properties), Property{"place", Words})))
	must(t, client.AddProperties(t.Context(), photos.Name, []Property{{"place", Words}}))
	if err := client.AddProperties(t.Context(), "Nothing", photos.Properties); !errors.Is(err, ErrAbsent) {
		t.Errorf("properties of no collection: %v", err)
	}
	must(t, client.AddVectors(t.Context(), photos.Name, []string{"s1"}, RQ))
	must(t, client.AddVectors(t.Context(), photos.Name, []string{"s1", "s2"}, RQ))
	must(t, client.AddVectors(t.Context(), photos.Name, []string{"s3"}, Unquantised))
	there, err := client.Collection(t.Context(), photos.Name)
	if must(t, err); !slices.Equal(there.Vectors, []string{"none", "s1", "s2", "s3"}) || there.Shards != 2 {
		t.Errorf("collection %+v", there)
	}
	must(t, client.SetAlias(t.Context(), "Album", photos.Name))
	must(t, client.SetAlias(t.Context(), "Album", photos.Name))
	testObjects(t, client)
	must(t, client.DropCollection(t.Context(), photos.Name))
	must(t, client.DropCollection(t.Context(), photos.Name))
}

func testObjects(t *testing.T, client *Client) {
	ctx := t.Context()
	var objects []Object
	for i := range 30 {
		angle := float64(i) / 20
		object := Object{
			ID: id(i + 1), Vectors: map[string][]float32{"s1": {0, -1}, "s2": {float32(math.Cos(angle)), float32(math.Sin(angle))}},
			Properties: map[string]any{
				"kind": "image", "tags": []string{fmt.Sprint("t", i%3), "a \"b\""}, "caption": fmt.Sprintf("dog n%d", i), "record": `{"x":1}`,
				"date": 3e9 + float64(i), "hidden": i%2 == 0,
			},
		}
		if i%3 == 1 { // not all have both
			delete(object.Vectors, "s1")
		}
		if i == 29 {
			object.Vectors, object.Properties["kind"] = nil, "text"
		}
		objects = append(objects, object)
	}
	must(t, client.Put(ctx, "Photos", objects))
	must(t, client.Put(ctx, "Photos", objects[:3]))
	find := func(q Query) []Found {
		t.Helper()
		q.Collection = "Photos"
		answers, err := client.Find(ctx, q, q)
		must(t, err)
		if len(answers) != 2 || len(answers[0]) != len(answers[1]) {
			t.Fatalf("answers %v", answers)
		}
		return answers[1]
	}
	near := find(Query{Near: &Near{[]string{"s1", "s2"}, []float32{1, 0}}, Limit: 5, Where: All(Equal("kind", "image"), Is("hidden", true)), Properties: []string{"date", "record"}})
	if len(near) != 5 || near[0].ID != id(1) || near[1].ID != id(3) || math.Abs(near[1].Score-math.Cos(0.1)) > 0.01 || near[1].Number("date") != 3e9+2 || near[0].Text("record") != `{"x":1}` {
		t.Errorf("near %+v", near)
	}
	words := find(Query{Words: &Weighted{"n7 dog", []string{"caption^3"}}, Limit: 3})
	if len(words) != 3 || words[0].ID != id(8) || words[0].Score <= words[1].Score {
		t.Errorf("words %+v", words)
	}
	sorted := find(Query{Sort: []Sort{{"date", true}}, Offset: 1, Limit: 2, Where: OneOf("tags", []string{"t2", "x"})})
	if len(sorted) != 2 || sorted[0].ID != id(27) {
		t.Errorf("sorted %+v", sorted)
	}
	var all []string
	for after := FirstID; ; {
		page := find(Query{After: after, Limit: 7})
		if len(page) == 0 {
			break
		}
		for _, found := range page {
			all = append(all, found.ID)
		}
		after = all[len(all)-1]
	}
	if len(all) != 30 || !slices.IsSorted(all) {
		t.Errorf("all %v", all)
	}
	counts, err := client.Count(ctx, "Photos", Condition{}, Equal("kind", "text"), Like("tags", "*\"b*"), IDs([]string{id(1), id(2), id(99)}), Equal("caption", "n7"), Nothing())
	if must(t, err); !slices.Equal(counts, []int{30, 1, 30, 2, 1, 0}) {
		t.Errorf("counts %v", counts)
	}
	must(t, client.Delete(ctx, "Photos", []string{id(1), id(99)}))
	must(t, client.Delete(ctx, "Photos", []string{id(99)}))
	must(t, client.Put(ctx, "Photos", []Object{{ID: id(98), Properties: map[string]any{"date": 1.0}}, {ID: id(97), Properties: map[string]any{"date": 1.0}}}))
	must(t, client.Delete(ctx, "Photos", []string{id(97), id(98)}))
	must(t, client.Delete(ctx, "Nothing", []string{id(97), id(98)}))
	counts, err = client.Count(ctx, "Photos", Condition{}, AtLeast("date", 3e9+1), AtMost("date", 3e9+1), Below("date", 3e9+1))
	if must(t, err); !slices.Equal(counts, []int{29, 29, 1, 0}) {
		t.Errorf("counts %v", counts)
	}
	err = client.Put(ctx, "Photos", []Object{{ID: id(1), Properties: map[string]any{"date": "no number"}}})
	if err == nil {
		t.Error("a wrong property is put")
	}
}
