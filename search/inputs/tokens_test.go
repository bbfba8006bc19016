package inputs

import (
	"testing"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
)

// TestTokensAreOfTheContent: what was read of a record's picture is not taken for what is read of the content that took
// its place, nor one model's tokens for another's.
func TestTokensAreOfTheContent(t *testing.T) {
	ctx := t.Context()
	library, err := local.Open(ctx, "/library", local.Options{FileSystem: vfstest.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	first := embed.Space{Fingerprint: "first", Parts: 1, Width: 2}
	second := embed.Space{Fingerprint: "second", Parts: 1, Width: 2}
	vectors := func(id index.ID, space embed.Space, value float32) index.Vectors {
		packed, err := embed.Pack(embed.ImageTokens{Rows: 1, Columns: 2, Values: []float32{value, value}}, embed.PackInt8)
		if err != nil {
			t.Fatal(err)
		}
		return index.Vectors{ID: id, Space: space, Parts: embed.Parts{Count: 1, Width: 2, Values: []float32{1, 0}}, Tokens: packed}
	}
	write := func(batch index.Batch) {
		t.Helper()
		if _, err := library.Write(ctx, batch); err != nil {
			t.Fatal(err)
		}
	}
	put := func(hash byte, value float32, replaces index.Hash) {
		t.Helper()
		record := index.Record{Kind: index.KindImage, Hash: index.Hash{hash}, Format: "jpeg", Files: []index.File{{Path: "/a.jpg"}}}
		write(index.Batch{Puts: []index.Put{{Record: record, Vectors: vectors(0, first, value), Replaces: replaces}}})
	}
	model := New(nil, nil, 1<<20)
	expect := func(want float32) {
		t.Helper()
		snapshot := library.Snapshot()
		defer snapshot.Close()
		for range 2 {
			tokens, err := model.recordTokens(ctx, snapshot, 1)
			if err != nil || tokens.Values[0] < want*0.99 || tokens.Values[0] > want*1.01 {
				t.Errorf("tokens %v, %v, want %v", tokens.Values, err, want)
			}
		}
	}
	for _, space := range []embed.Space{first, second} {
		if err := library.AddSpace(ctx, space); err != nil {
			t.Fatal(err)
		}
	}
	put(1, 1, index.Hash{})
	expect(1)
	put(2, 5, index.Hash{1})
	expect(5)
	write(index.Batch{Vectors: []index.Vectors{vectors(1, second, 9)}})
	if err := library.ServeSpace(ctx, second); err != nil {
		t.Fatal(err)
	}
	expect(9)
}
