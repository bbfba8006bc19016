package metadata

import (
	"context"
	"path/filepath"
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
)

// Source is what is known of a picture before its metadata is read.
type Source struct {
	// Data is the whole file. Nothing is written to it and nothing keeps it.
	Data []byte
	// Format is what its pixels were read from, or "". Where metadata sits is
	// told from Data itself.
	Format pixels.Format
	// Path is the file's path or name; its last element may say a date.
	Path string
	// Modified is when the file was last changed; zero when unknown. A date in a
	// name that is later by more than a day and a half is none.
	Modified time.Time
	// Sidecars are the files that describe the picture, see [Finder.Of].
	Sidecars []Sidecar
}

// Sidecar is a file beside a picture that describes it.
type Sidecar struct {
	// Name is the file's name, without a folder.
	Name string
	// Data is its content; beyond [MaxSidecarBytes] it is not looked at.
	Data []byte
}

// Read gives what a picture says about itself and what its sidecars say of it. It
// never fails: what cannot be read is left out. When ctx ends, it gives what was found
// by then.
func Read(ctx context.Context, s Source) index.Metadata {
	var found statements
	for _, sidecar := range s.Sidecars {
		if ctx.Err() != nil {
			break
		}
		found.addSidecar(sidecar)
	}
	if ctx.Err() == nil {
		found.addFile(s.Data)
	}
	if s.Path != "" {
		found.name, found.modified = filepath.Base(s.Path), s.Modified
	}
	return found.merge()
}

// statements is all that was said of a picture, by where it was said.
type statements struct {
	exif     exif
	iptc     iptc
	xmp      xmp // of the file itself
	sidecar  xmp // of the files beside it
	takeout  takeout
	text     texts // of a PNG, and comments
	name     string
	modified time.Time
}

// addFile reads the blocks that a file holds.
func (s *statements) addFile(data []byte) {
	blocks := blocksOf(data)
	for _, block := range blocks.exif {
		s.exif.read(block.data, block.directory)
	}
	for _, block := range s.exif.embedded.xmp {
		blocks.addXMP(block)
	}
	for _, block := range s.exif.embedded.iptc {
		blocks.addIPTC(block)
	}
	for _, block := range blocks.iptc {
		s.iptc.read(block)
	}
	for _, block := range blocks.xmp {
		s.xmp.read(block)
	}
	s.text = blocks.text
}
