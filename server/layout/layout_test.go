package layout_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math"
	"testing"

	"mekiki/index"
	"mekiki/server/layout"
)

func TestEncode(t *testing.T) {
	for _, columns := range []index.Layout{
		{}, {IDs: []index.ID{1, math.MaxUint64, 3}, Ratios: []uint32{1, math.MaxUint32, 1500}, Days: []int32{-1, index.NoDay, 19_000}},
	} {
		var decoded struct {
			Sequence uint64   `json:"sequence"`
			IDs      []string `json:"ids"`
			Ratios   []uint32 `json:"ratios"`
			Days     []*int32 `json:"days"`
		}
		body := layout.Encode(7, columns)
		if err := json.Unmarshal(body, &decoded); err != nil || decoded.IDs == nil || decoded.Days == nil {
			t.Fatalf("%s: %v", body, err)
		}
		if decoded.Sequence != 7 || len(decoded.IDs) != len(columns.IDs) {
			t.Errorf("%s", body)
		}
		for i, id := range columns.IDs {
			day := int32(index.NoDay)
			if decoded.Days[i] != nil {
				day = *decoded.Days[i]
			}
			if decoded.IDs[i] != id.String() || decoded.Ratios[i] != columns.Ratios[i] || day != columns.Days[i] {
				t.Errorf("%d: %s", i, body)
			}
		}
	}
}

// BenchmarkEncode writes the layout of 100,000 images, and tells how long it is, plain and compressed.
func BenchmarkEncode(b *testing.B) {
	var columns index.Layout
	for i := range 100_000 {
		columns.IDs = append(columns.IDs, index.ID(100_000-i+i%7))
		columns.Ratios = append(columns.Ratios, uint32(667+(i*i)%833))
		columns.Days = append(columns.Days, int32(20_000-i/30))
	}
	var body []byte
	for b.Loop() {
		body = layout.Encode(1, columns)
	}
	var zipped bytes.Buffer
	writer, err := gzip.NewWriterLevel(&zipped, 4)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := writer.Write(body); err != nil {
		b.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(body)), "bytes")
	b.ReportMetric(float64(zipped.Len()), "gzip-bytes")
}
