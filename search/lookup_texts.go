package search

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
	if engine := l.searcher.engine.Space(); engine != space {
		return spaceMismatch(space, engine)
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

// addRecords takes the nearest text records.
func (l *lookup) addRecords(ctx context.Context, seen map[string]bool) error {
	filter := l.request.Filter
	filter.Kinds = []index.Kind{index.KindText}
	texts, err := l.snapshot.NearestTexts(ctx, l.parts.Values, lookupWindow, filter)
	if err != nil {
		return fmt.Errorf("search texts: %w", err)
	}
	for _, neighbour := range texts {
		record, ok := l.snapshot.Record(neighbour.ID)
		if !ok || seen[record.Text] {
			continue
		}
		seen[record.Text] = true
		l.add(record.Text, TextHit{Text: record.Text, Source: TextSourceRecord, ID: record.ID, ExternalID: record.ExternalID, Fields: record.Fields})
		l.texts[len(l.texts)-1].cosine = float64(neighbour.Score)
	}
	return nil
}

// addCaptions takes the captions of the nearest pictures.
func (l *lookup) addCaptions(ctx context.Context, seen map[string]bool) error {
	filter := l.request.Filter
	filter.Kinds = []index.Kind{index.KindImage}
	images, err := l.snapshot.NearestImages(ctx, l.parts.Values, captionNeighbours, filter)
	if err != nil {
		return fmt.Errorf("search like pictures: %w", err)
	}
	for _, neighbour := range images {
		record, ok := l.snapshot.Record(neighbour.ID)
		if !ok {
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
