package local

import (
	"errors"
	"io"
	"testing"

	"mekiki/index"
	"mekiki/index/export"
	"mekiki/index/indextest"
	"mekiki/internal/vfs/vfstest"
)

// TestClosedLibrarySaysSo: nobody takes a library that is closed for one that is empty.
func TestClosedLibrarySaysSo(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	fill(t, library, 3)
	open := library.Snapshot()
	defer open.Close()
	indextest.Must(t, library.Close())
	closed := library.Snapshot()
	ctx, query := t.Context(), indextest.Unit(1, 1, indextest.Small.Width).Values
	asked := map[string]func(*Snapshot) error{
		"Err":           func(s *Snapshot) error { return s.Err() },
		"Records":       func(s *Snapshot) error { _, _, err := s.List(ctx, index.Filter{}, index.Page{Limit: 1}); return err },
		"Layout":        func(s *Snapshot) error { _, err := s.Layout(ctx, index.Filter{}, 0); return err },
		"Facets":        func(s *Snapshot) error { _, err := s.Facets(ctx, index.Filter{}); return err },
		"NearestImages": func(s *Snapshot) error { _, err := s.NearestImages(ctx, query, 1, index.Filter{}); return err },
		"NearestTexts":  func(s *Snapshot) error { _, err := s.NearestTexts(ctx, query, 1, index.Filter{}); return err },
		"Keyword": func(s *Snapshot) error {
			_, err := s.Keyword(ctx, index.KeywordQuery{Text: "dog"}, 1, index.Filter{})
			return err
		},
		"Parts":        func(s *Snapshot) error { _, err := s.parts(ctx, 1); return err },
		"ImageTokens":  func(s *Snapshot) error { _, err := s.tokens(ctx, 1); return err },
		"OpenOriginal": func(s *Snapshot) error { _, err := s.OpenOriginal(ctx, 1); return err },
		"Thumbnail":    func(s *Snapshot) error { _, err := s.Thumbnail(ctx, 1); return err },
		"Export":       func(s *Snapshot) error { return export.Export(ctx, s, io.Discard, index.ExportOptions{}) },
	}
	for name, ask := range asked {
		if err := ask(closed); !errors.Is(err, index.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
		if err := ask(open); errors.Is(err, index.ErrClosed) != (name == "Keyword") {
			t.Errorf("%s of a snapshot of before: %v", name, err)
		}
	}
	if closed.Count(0) != 0 || closed.Sequence() != 0 {
		t.Error("a closed library has records")
	}
	indextest.Must(t, closed.Close())
	if _, err := library.Write(ctx, index.Batch{Remove: []index.ID{1}}); !errors.Is(err, index.ErrClosed) {
		t.Errorf("Write: %v", err)
	}
}
