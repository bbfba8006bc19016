package excerpt

import (
	"fmt"
	"path/filepath"
	"slices"

	"mekiki/index"
)

// record is a record as the terms show it. It names what is shown, so that a member to come is not.
func (t Terms) record(r *index.Record) *index.Record {
	if r == nil {
		return nil
	}
	seen := &index.Record{
		ID: r.ID, Kind: r.Kind, Hash: r.Hash, Format: r.Format, Width: r.Width, Height: r.Height, Bytes: r.Bytes, Added: r.Added,
		Captions: slices.Clone(r.Captions), PerceptualHash: r.PerceptualHash, Damage: r.Damage, MetadataVersion: r.MetadataVersion, Sequence: r.Sequence,
		Metadata: index.Metadata{
			Taken: r.Taken(), Title: r.Title(), Description: r.Description(), Creator: r.Metadata.Creator, Copyright: r.Metadata.Copyright,
			Orientation: r.Metadata.Orientation,
		},
	}
	if !t.Details {
		seen.Files = []index.File{{Path: fmt.Sprintf("%s.%s", r.ID, r.Format), Bytes: r.Bytes, Modified: r.Modified()}} // the date is shown, and lists are in its order
		return seen
	}
	m, from := &seen.Metadata, r.Metadata
	m.TakenOffset, m.Camera, m.Lens, m.Place, m.Latitude, m.Longitude = r.TakenOffset(), from.Camera, from.Lens, from.Place, from.Latitude, from.Longitude
	m.Keywords, m.People, m.Rating = slices.Clone(from.Keywords), slices.Clone(r.People()), r.Rating()
	seen.Tags, seen.OCR = slices.Clone(r.Tags), r.OCR.Clone()
	for _, file := range r.Files {
		// The folders of the server's disk are not a detail of the picture: the path is a name alone.
		seen.Files = append(seen.Files, index.File{Path: filepath.Base(filepath.FromSlash(file.DisplayName())), Bytes: file.Bytes, Modified: file.Modified})
	}
	return seen
}

// facets are counts as the terms show them.
func (t Terms) facets(f index.Facets) index.Facets {
	seen := index.Facets{Total: f.Total, Kinds: f.Kinds, Formats: f.Formats, Years: f.Years}
	if t.Details {
		seen.Cameras, seen.Tags, seen.People, seen.Ratings = f.Cameras, f.Tags, f.People, f.Ratings
	}
	return seen
}
