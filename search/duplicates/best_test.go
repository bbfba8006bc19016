package duplicates

import (
	"reflect"
	"testing"
	"time"

	"mekiki/index"
)

func picture(id index.ID, change func(*index.Record)) *index.Record {
	record := &index.Record{ID: id, Kind: index.KindImage, Format: "jpeg", Width: 400, Height: 300, Bytes: 1000}
	if change != nil {
		change(record)
	}
	return record
}

// TestBest holds the rule against pairs and more of pictures, of which the first is the best one.
func TestBest(t *testing.T) {
	rating := 4
	dated := func(r *index.Record) { r.Metadata.Taken = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }
	tagged := func(r *index.Record) { r.Tags = []string{"mum"} }
	for name, each := range map[string]struct {
		records []*index.Record
		want    []Reason
	}{
		"largest":         {[]*index.Record{picture(2, func(r *index.Record) { r.Width = 800 }), picture(1, func(r *index.Record) { r.Bytes = 5000 })}, []Reason{ReasonLargest}},
		"format":          {[]*index.Record{picture(2, func(r *index.Record) { r.Format = "raw" }), picture(1, nil)}, []Reason{ReasonFormat}},
		"not for the web": {[]*index.Record{picture(2, nil), picture(1, func(r *index.Record) { r.Format = "webp" })}, []Reason{ReasonFormat}},
		"cared for":       {[]*index.Record{picture(2, tagged), picture(1, dated)}, []Reason{ReasonCared}},
		"rated":           {[]*index.Record{picture(2, func(r *index.Record) { r.Given = &index.Given{Rating: &rating} }), picture(1, nil)}, []Reason{ReasonCared}},
		"dated":           {[]*index.Record{picture(2, dated), picture(1, func(r *index.Record) { r.Metadata.Camera = "X" })}, []Reason{ReasonDated}},
		"details":         {[]*index.Record{picture(2, func(r *index.Record) { r.Metadata.Camera = "X" }), picture(1, nil)}, []Reason{ReasonDetailed}},
		"bytes":           {[]*index.Record{picture(2, func(r *index.Record) { r.Bytes = 1001 }), picture(1, nil)}, []Reason{ReasonBytes}},
		"first":           {[]*index.Record{picture(1, nil), picture(2, nil)}, []Reason{ReasonFirst}},
		"several": {[]*index.Record{picture(3, func(r *index.Record) { r.Width, r.Bytes = 800, 9000; dated(r) }), picture(2, dated), picture(1, tagged)},
			[]Reason{ReasonLargest, ReasonDated, ReasonBytes}},
	} {
		backwards := append([]*index.Record{}, each.records...)
		for i, j := 0, len(backwards)-1; i < j; i, j = i+1, j-1 {
			backwards[i], backwards[j] = backwards[j], backwards[i]
		}
		best := ByPreference(backwards)
		if best[0] != each.records[0] {
			t.Errorf("%s: %v is the best", name, best[0].ID)
		}
		if got := Reasons(best[0], best[1:]); !reflect.DeepEqual(got, each.want) {
			t.Errorf("%s: got %v, want %v", name, got, each.want)
		}
		if len(best) == 2 && (Better(best[0], best[1]) >= 0 || Better(best[1], best[0]) <= 0) {
			t.Errorf("%s: the order is not one", name)
		}
	}
}

// FuzzPairs reads what a disk may hold.
func FuzzPairs(f *testing.F) {
	p := newPairs("space")
	p.compared[3], p.compared[900] = 7, 8
	p.found = []pair{{3, 900, 0.96}}
	f.Add(p.encode())
	f.Add([]byte(pairsMagic))
	if decoded, err := decodePairs(p.encode()); err != nil || !reflect.DeepEqual(decoded, p) {
		f.Fatalf("got %+v, %v", decoded, err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if decoded, err := decodePairs(data); err == nil && len(decoded.found) > len(data) {
			t.Error("more pairs than bytes")
		}
	})
}
