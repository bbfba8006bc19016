package api

import (
	"context"
	"errors"
	"fmt"

	"mekiki/index"
	"mekiki/server/problem"
)

// Library is the library that the API serves, with the problems of what is not there.
type Library struct{ index.Library }

// Read runs work on the library's present state.
func (l Library) Read(ctx context.Context, work func(index.Reader) error) error {
	reader, err := l.Reader(untilAnswered(ctx))
	if err != nil {
		return fmt.Errorf("read library: %w", err)
	}
	defer func() { _ = reader.Close() }() // an error loses nothing
	return work(reader)
}

// untilAnswered is the context for what takes moments. It does not end with the request's
// own, which ends early where the server cuts off a body that nobody reads.
func untilAnswered(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// Record gives a record of the present state, or a problem where there is none.
func (l Library) Record(ctx context.Context, id index.ID) (record *index.Record, err error) {
	err = l.Read(ctx, func(reader index.Reader) error {
		record, err = RecordIn(ctx, reader, id)
		return err
	})
	return record, err
}

// CheckRecords fails when one of the records is not there; field names them in the problem.
func (l Library) CheckRecords(ctx context.Context, field string, ids ...index.ID) error {
	return l.Read(ctx, func(reader index.Reader) error {
		records, err := reader.Records(untilAnswered(ctx), ids)
		if err != nil {
			return err
		}
		for i, id := range ids {
			if records[i] == nil {
				return inField(noSuchRecord(id), field)
			}
		}
		return nil
	})
}

// CheckImage fails when a record is not there or is a text; field names it in the problem.
func (l Library) CheckImage(ctx context.Context, field string, id index.ID) error {
	return l.Read(ctx, func(reader index.Reader) error {
		_, err := ImageIn(ctx, reader, id)
		if p := (*problem.Problem)(nil); errors.As(err, &p) {
			return inField(p, field)
		}
		return err
	})
}

func inField(p *problem.Problem, field string) *problem.Problem {
	p.Errors = []problem.Field{{Field: field, Detail: p.Detail}}
	return p
}

func noSuchRecord(id index.ID) *problem.Problem {
	return problem.Newf(problem.NotFound, "there is no record %s", id)
}

// RecordIn gives a record, or a problem where there is none.
func RecordIn(ctx context.Context, reader index.Reader, id index.ID) (*index.Record, error) {
	record, err := index.One(reader.Records(untilAnswered(ctx), []index.ID{id}))
	if err != nil {
		return nil, fmt.Errorf("read record %s: %w", id, err)
	}
	if record == nil {
		return nil, noSuchRecord(id)
	}
	return record, nil
}

// ImageIn is RecordIn for a record that must be an image.
func ImageIn(ctx context.Context, reader index.Reader, id index.ID) (*index.Record, error) {
	record, err := RecordIn(ctx, reader, id)
	if err != nil {
		return nil, err
	}
	if record.Kind != index.KindImage {
		return nil, problem.Newf(problem.NotFound, "record %s is a text and has no picture", id)
	}
	return record, nil
}
