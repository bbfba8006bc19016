package export

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"mekiki/index"
)

// exported is the JSON form of a record; docs/formats.md describes it.
type exported struct {
	ID       index.ID   `json:"id"`
	Kind     string     `json:"kind"`
	Hash     string     `json:"hash"`
	Paths    []string   `json:"paths,omitempty"`
	Name     string     `json:"name,omitempty"`
	Format   string     `json:"format,omitempty"`
	Damage   string     `json:"damage,omitempty"`
	Width    int        `json:"width,omitempty"`
	Height   int        `json:"height,omitempty"`
	Bytes    int64      `json:"bytes,omitempty"`
	Modified *time.Time `json:"modified,omitempty"`
	Added    time.Time  `json:"added"`
	Metadata
	Tags           []string          `json:"tags,omitempty"`
	Given          *Given            `json:"given,omitempty"`
	Captions       []Caption         `json:"captions,omitempty"`
	OCR            *OCR              `json:"ocr,omitempty"`
	Text           string            `json:"text,omitempty"`
	ExternalID     string            `json:"external_id,omitempty"`
	Fields         map[string]string `json:"fields,omitempty"`
	PerceptualHash string            `json:"perceptual_hash,omitempty"`
	Space          string            `json:"space,omitempty"`
	Parts          [][]float32       `json:"parts,omitempty"`
}

// Export writes one JSON object a line for each record that passes the filter,
// in order of ID. What is hidden or in the trash passes too, unless the filter chooses.
func Export(ctx context.Context, reader index.Reader, w io.Writer, options index.ExportOptions) error {
	filter := options.Filter
	if filter.Hidden == index.ChoiceExclude && filter.Trash == index.ChoiceExclude {
		filter.Hidden, filter.Trash = index.ChoiceInclude, index.ChoiceInclude
	}
	records, _, err := reader.List(ctx, filter, index.Page{})
	if err != nil {
		return fmt.Errorf("export library: %w", err)
	}
	buffered := bufio.NewWriterSize(w, 1<<16)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for some := range slices.Chunk(records, exportedAtOnce) {
		lines := make([]exported, len(some))
		for i, record := range some {
			lines[i] = exportOf(record)
		}
		if options.Vectors {
			if err := addParts(ctx, reader, some, lines); err != nil {
				return fmt.Errorf("export: %w", err)
			}
		}
		for _, line := range lines {
			if err := encoder.Encode(line); err != nil {
				return fmt.Errorf("export record %d: %w", line.ID, err)
			}
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return ctx.Err()
}

// addParts adds the records' vectors to their lines.
func addParts(ctx context.Context, reader index.Reader, records []*index.Record, lines []exported) error {
	ids := index.IDs(records)
	parts, err := reader.Parts(ctx, ids)
	if err != nil {
		return err
	}
	space, _ := reader.Space()
	for i, own := range parts {
		if own.Count > 0 {
			lines[i].Space = space.Fingerprint
		}
		for row := range own.Count {
			lines[i].Parts = append(lines[i].Parts, own.Row(row))
		}
	}
	return nil
}

func exportOf(r *index.Record) exported {
	line := exported{
		ID: r.ID, Kind: r.Kind.String(), Hash: r.Hash.String(), Paths: r.Paths(), Name: r.Name(), Format: r.Format, Damage: r.Damage,
		Width: r.Width, Height: r.Height, Bytes: r.Bytes, Modified: Time(r.Modified()), Added: r.Added,
		Metadata: MetadataOf(r.Metadata), Tags: r.Tags, Given: GivenOf(r.Given), Captions: CaptionsOf(r.Captions), OCR: OCROf(r.OCR),
		Text: r.Text, ExternalID: r.ExternalID, Fields: r.Fields,
	}
	line.Taken = Time(r.Metadata.Taken)
	if r.PerceptualHash != 0 {
		line.PerceptualHash = fmt.Sprintf("%016x", r.PerceptualHash)
	}
	return line
}

// Time gives nil for what is not known, and for the years that RFC 3339 cannot say.
func Time(t time.Time) *time.Time {
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	return &t
}
