// Package limits says what a record cannot be, in whatever kind of library.
package limits

import (
	"fmt"

	"mekiki/index"
)

// Check refuses what a record cannot be. It does not look at the record's files, nor at what people gave it.
func Check(r *index.Record) error {
	switch {
	case r.Kind != index.KindImage && r.Kind != index.KindText:
		return fmt.Errorf("%v is not a kind of record", r.Kind)
	case r.Hash.IsZero():
		return fmt.Errorf("the record has no hash")
	case r.Width < 0 || r.Height < 0 || r.Bytes < 0:
		return fmt.Errorf("the record's size is negative")
	case (r.Metadata.Latitude == nil) != (r.Metadata.Longitude == nil):
		return fmt.Errorf("the record has half a position")
	case len(r.Text) > maximumText:
		return fmt.Errorf("the text of %d bytes is longer than %d", len(r.Text), maximumText)
	case len(r.Tags) > maximumStrings || len(r.Fields) > maximumStrings || len(r.Captions) > maximumStrings || len(r.Metadata.Keywords) > maximumStrings:
		return fmt.Errorf("the record has more than %d tags, fields, captions or keywords", maximumStrings)
	case r.OCR != nil && r.Kind != index.KindImage:
		return fmt.Errorf("a text has no words in a picture")
	}
	return r.OCR.Check()
}
