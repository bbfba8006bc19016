package lookup

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"mekiki/index"
)

// addLabels takes the labels given, each once.
func (l *lookup) addLabels() {
	seen := map[string]bool{}
	for _, label := range l.request.Labels {
		label = strings.TrimSpace(label)
		if seen[label] {
			continue
		}
		seen[label] = true
		text := label
		if l.request.Template != "" {
			text = strings.Replace(l.request.Template, "{}", label, 1)
		}
		l.add(text, TextHit{Text: label, Source: TextSourceLabel})
	}
}

func (l *lookup) add(text string, hit TextHit) {
	l.texts = append(l.texts, &textCandidate{text: text, hit: hit, order: len(l.texts), cosine: math.NaN()})
}

// addLibrary takes the nearest text records, and the captions of the nearest
// pictures, which say in words that are already written what this one shows.
func (l *lookup) addLibrary(ctx context.Context) error {
	space, ok := l.snapshot.Space()
	if !ok {
		return nil
	}
	if err := l.finder.Model.CheckSpace(space); err != nil {
		return err
	}
	seen := map[string]bool{}
	if l.wants(TextSourceRecord) {
		if err := l.addRecords(ctx, seen); err != nil {
			return err
		}
	}
	if l.wants(TextSourceCaption) {
		return l.addCaptions(ctx, seen)
	}
	return nil
}

func (l *lookup) wants(source TextSource) bool {
	return len(l.request.Sources) == 0 || slices.Contains(l.request.Sources, source)
}

// nearest gives the records of a kind that are nearest to the picture, at most most of them, and how near they are.
func (l *lookup) nearest(ctx context.Context, kind index.Kind, most int) ([]index.Neighbour, []*index.Record, error) {
	filter := l.request.Filter
	filter.Kinds = []index.Kind{kind}
	found, err := l.snapshot.Nearest(ctx, kind, l.parts.Values, most, filter)
	if err != nil {
		return nil, nil, fmt.Errorf("search %ss: %w", kind, err)
	}
	records, err := recordsOf(ctx, l.snapshot, found)
	return found, records, err
}

// addRecords takes the nearest text records.
func (l *lookup) addRecords(ctx context.Context, seen map[string]bool) error {
	texts, records, err := l.nearest(ctx, index.KindText, lookupWindow)
	if err != nil {
		return err
	}
	for i, record := range records {
		if record == nil || seen[record.Text] {
			continue
		}
		seen[record.Text] = true
		l.add(record.Text, TextHit{Text: record.Text, Source: TextSourceRecord, ID: record.ID, ExternalID: record.ExternalID, Fields: record.Fields})
		l.texts[len(l.texts)-1].cosine = float64(texts[i].Score)
	}
	return nil
}

// addCaptions takes the captions of the nearest pictures.
func (l *lookup) addCaptions(ctx context.Context, seen map[string]bool) error {
	_, records, err := l.nearest(ctx, index.KindImage, captionNeighbours)
	if err != nil {
		return err
	}
	for _, record := range records {
		if record == nil {
			continue
		}
		for _, caption := range record.Captions {
			if caption.Text != "" && !seen[caption.Text] {
				seen[caption.Text] = true
				l.add(caption.Text, TextHit{Text: caption.Text, Source: TextSourceCaption, ID: record.ID})
			}
		}
	}
	return nil
}

// recordsOf gives the records of neighbours, in order; nil for one that is gone.
func recordsOf(ctx context.Context, reader index.Reader, neighbours []index.Neighbour) ([]*index.Record, error) {
	ids := make([]index.ID, len(neighbours))
	for i, neighbour := range neighbours {
		ids[i] = neighbour.ID
	}
	records, err := reader.Records(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	return records, nil
}
