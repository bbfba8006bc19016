package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"mekiki/embed/pixels"
	"mekiki/search/captionscore"
	"mekiki/search/evaluate/datasets"
	"mekiki/search/evaluate/statistics"
)

// Describer writes one caption of each picture, in their order.
type Describer func(ctx context.Context, pictures []*pixels.Image) ([]string, error)

// CaptionReport is how near captions come to those of people. Its JSON is a public contract.
type CaptionReport struct {
	Dataset string `json:"dataset"`
	Model   string `json:"model"`
	// Images counts the pictures that were described; Unreadable lists those that could not be read, which are left out.
	Images     int      `json:"images"`
	Unreadable []string `json:"unreadable,omitempty"`
	// CIDErD is CIDEr-D times 100, and BLEU has BLEU-1 to BLEU-4 times 100, by the definitions of the COCO caption
	// evaluation. CIDErDInterval is a 95 % bootstrap interval over pictures.
	CIDErD         float64    `json:"cider_d"`
	CIDErDInterval [2]float64 `json:"cider_d_interval"`
	BLEU           [4]float64 `json:"bleu"`
	// Examples are some captions, for people to look at.
	Examples []CaptionExample `json:"examples"`
	Seconds  float64          `json:"seconds"`
}

// CaptionExample is one caption beside one of people.
type CaptionExample struct {
	Image     string `json:"image"`
	Caption   string `json:"caption"`
	Reference string `json:"reference"`
}

// Captions measures captions of the pictures of a dataset against its own. Of Options it takes Splits, Sample, Progress
// and Model.
func Captions(ctx context.Context, describe Describer, source Source, options Options) (CaptionReport, error) {
	started := time.Now()
	options = options.withDefaults()
	dataset := source.Dataset.Only(options.Splits...)
	if options.Sample > 0 && options.Sample < len(dataset.Images) {
		dataset.Images = dataset.Images[:options.Sample]
	}
	if len(dataset.Images) == 0 {
		return CaptionReport{}, errors.New("evaluate: there are no pictures")
	}
	report := CaptionReport{Dataset: dataset.Name, Model: options.Model}
	var described []datasets.Image
	var entries []captionscore.Entry
	for part := range slices.Chunk(dataset.Images, captionBatch) {
		readable, captions, err := report.describe(ctx, describe, source.Files, part)
		if err != nil {
			return CaptionReport{}, fmt.Errorf("evaluate: %w", err)
		}
		described = append(described, readable...)
		for i, image := range readable {
			entries = append(entries, captionscore.Entry{Caption: captions[i], References: image.Captions})
		}
		options.Progress("describe pictures", len(entries)+len(report.Unreadable), len(dataset.Images))
	}
	if len(entries) == 0 {
		return CaptionReport{}, fmt.Errorf("evaluate: no picture can be read: %s", report.Unreadable[0])
	}
	report.Images = len(entries)
	scores, err := captionscore.Measure(entries)
	if err != nil {
		return CaptionReport{}, fmt.Errorf("evaluate: %w", err)
	}
	outcomes := make([]statistics.Outcome, len(entries))
	for i := range outcomes {
		outcomes[i] = statistics.Outcome{Rank: i, Cluster: i}
	}
	report.CIDErD, report.CIDErDInterval = statistics.MeanWithInterval(outcomes, func(o statistics.Outcome) float64 { return 100 * scores.Each[o.Rank] })
	for n, score := range scores.BLEU {
		report.BLEU[n] = statistics.RoundTo(100*score, 2)
	}
	for i := 0; i < len(entries) && len(report.Examples) < captionExamples; i += max(1, len(entries)/captionExamples) {
		report.Examples = append(report.Examples, CaptionExample{described[i].Path, entries[i].Caption, entries[i].References[0]})
	}
	report.Seconds = statistics.RoundTo(time.Since(started).Seconds(), 1)
	return report, nil
}

// describe gives the pictures that can be read, and a caption of each; the others are noted in the report.
func (r *CaptionReport) describe(ctx context.Context, describe Describer, files fs.FS, images []datasets.Image) ([]datasets.Image, []string, error) {
	var readable []datasets.Image
	var pictures []*pixels.Image
	for _, image := range images {
		picture, err := decodeFile(ctx, files, image.Path)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			r.Unreadable = append(r.Unreadable, fmt.Sprintf("%s: %v", image.Path, err))
			continue
		}
		readable, pictures = append(readable, image), append(pictures, picture)
	}
	if len(pictures) == 0 {
		return nil, nil, nil
	}
	captions, err := describe(ctx, pictures)
	if err != nil {
		return nil, nil, err
	}
	if len(captions) != len(pictures) {
		return nil, nil, errors.New("describe: got another number of captions than pictures")
	}
	return readable, captions, nil
}

func decodeFile(ctx context.Context, files fs.FS, path string) (*pixels.Image, error) {
	data, err := readPicture(files, path)
	if err != nil {
		return nil, err
	}
	return pixels.Decode(ctx, data, pixels.Options{})
}
