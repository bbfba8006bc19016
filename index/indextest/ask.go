package indextest

import (
	"iter"
	"testing"

	"mekiki/embed"
	"mekiki/index"
)

// Record gives one record; false when there is none.
func Record(tb testing.TB, r index.Reader, id index.ID) (*index.Record, bool) {
	tb.Helper()
	record, err := index.One(r.Records(tb.Context(), []index.ID{id}))
	Must(tb, err)
	return record, record != nil
}

// RecordByPath gives the record that a file holds; false when there is none.
func RecordByPath(tb testing.TB, r index.Reader, path string) (*index.Record, bool) {
	tb.Helper()
	record, err := index.One(r.RecordsByPath(tb.Context(), []string{path}))
	Must(tb, err)
	return record, record != nil
}

// RecordByHash gives the record of a content; false when there is none.
func RecordByHash(tb testing.TB, r index.Reader, hash index.Hash) (*index.Record, bool) {
	tb.Helper()
	record, err := index.One(r.RecordsByHash(tb.Context(), []index.Hash{hash}))
	Must(tb, err)
	return record, record != nil
}

// Failures lists what could not be indexed.
func Failures(tb testing.TB, r index.Reader) []index.Failure {
	tb.Helper()
	failures, err := r.Failures(tb.Context())
	Must(tb, err)
	return failures
}

// All goes through every record in order of ID.
func All(tb testing.TB, r index.Reader) iter.Seq[*index.Record] {
	tb.Helper()
	return func(yield func(*index.Record) bool) {
		for record, err := range r.All(tb.Context()) {
			Must(tb, err)
			if !yield(record) {
				return
			}
		}
	}
}

// RecordByExternalID gives the text record with the user's own id; false when there is
// none.
func RecordByExternalID(tb testing.TB, r index.Reader, id string) (*index.Record, bool) {
	tb.Helper()
	for record := range All(tb, r) {
		if record.ExternalID == id {
			return record, true
		}
	}
	return nil, false
}

// Failure gives what is known of a path that failed; false when it did not.
func Failure(tb testing.TB, r index.Reader, path string) (index.Failure, bool) {
	tb.Helper()
	failure, err := index.One(r.FailuresOf(tb.Context(), []string{path}))
	Must(tb, err)
	if failure == nil {
		return index.Failure{}, false
	}
	return *failure, true
}

// HasParts reports whether a record has vectors in a space.
func HasParts(tb testing.TB, r index.Reader, id index.ID, space embed.Space) bool {
	tb.Helper()
	has, err := index.One(r.HaveParts(tb.Context(), space, []index.ID{id}))
	Must(tb, err)
	return has
}
