package maintain

import (
	"context"
	"errors"
	"fmt"

	"mekiki/embed"
	"mekiki/embed/priority"
	"mekiki/index"
	"mekiki/index/cluster"
)

// Migrated says what was brought in.
type Migrated struct {
	// Records came in; Known were there already.
	Records int `json:"records"`
	Known   int `json:"known"`
	// Failures are files that could not be indexed, and Searches saved ones.
	Failures int `json:"failures"`
	Searches int `json:"searches"`
}

// Files gives the files of a record in the library that it is brought into: those of uploads lie elsewhere there. Settle is called
// when the record is there, or, with false, may not be.
type Files func(ctx context.Context, from index.Reader, record *index.Record) (files []index.File, settle func(written bool) error, err error)

// Migrate brings the records of one library into another, one of them on a cluster, with their vectors and image tokens of
// the space that serves, their thumbnails, and what people gave them. Their IDs are others; in a library on a
// disk the time when they were added is, too. One that was stopped goes on when it is run again: what is there already
// is left as it is, but for what people gave records that nothing was given yet. Files may be nil: then records keep theirs.
func Migrate(ctx context.Context, from index.Reader, to index.Library, files Files, progress Progress) (Migrated, error) {
	ctx = priority.Background(ctx) // it can wait
	var migrated Migrated
	space, serves := from.Space()
	if serves {
		if err := index.PrepareSpace(ctx, to, space, true); err != nil {
			return migrated, err
		}
	}
	var batch []*index.Record
	flush := func() error {
		added, err := bring(ctx, from, to, space, batch, files)
		migrated.Records, migrated.Known = migrated.Records+added, migrated.Known+len(batch)-added
		if batch = batch[:0]; progress != nil {
			progress(migrated.Records + migrated.Known)
		}
		return err
	}
	for record, err := range from.All(ctx) {
		if err != nil {
			return migrated, err
		}
		if batch = append(batch, record); len(batch) == importRecords {
			if err := flush(); err != nil {
				return migrated, err
			}
		}
	}
	if err := flush(); err != nil {
		return migrated, err
	}
	var rest index.Batch
	var err error
	if rest.Failures, err = from.Failures(ctx); err != nil {
		return migrated, err
	}
	if rest.SaveSearches, err = from.SavedSearches(ctx); err != nil {
		return migrated, err
	}
	migrated.Failures, migrated.Searches = len(rest.Failures), len(rest.SaveSearches)
	_, err = to.Write(ctx, rest)
	return migrated, err
}

// bring imports those of some records that are not there yet.
func bring(ctx context.Context, from index.Reader, to index.Library, space embed.Space, records []*index.Record, files Files) (added int, err error) {
	if len(records) == 0 {
		return 0, nil
	}
	reader, err := to.Reader(ctx)
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	hashes := make([]index.Hash, len(records))
	for i, record := range records {
		hashes[i] = record.Hash
	}
	there, err := reader.RecordsByHash(ctx, hashes)
	if err != nil {
		return 0, err
	}
	var wanted []*index.Record
	var given []index.GivenChange
	for i, record := range records {
		switch {
		case there[i] == nil:
			wanted = append(wanted, record)
		case there[i].Given.IsZero() && !record.Given.IsZero():
			given = append(given, givenTo(there[i].ID, record)) // it was stopped in between
		}
	}
	if err := give(ctx, to, given); err != nil || len(wanted) == 0 {
		return 0, err
	}
	parts, err := from.Parts(ctx, index.IDs(wanted))
	if err != nil {
		return 0, err
	}
	tokens, err := from.Tokens(ctx, index.IDs(wanted))
	if err != nil {
		return 0, err
	}
	puts := make([]index.Put, len(wanted))
	var settled []func(written bool) error
	defer func() {
		written := err == nil
		for _, settle := range settled {
			err = errors.Join(err, settle(written))
		}
	}()
	for i, record := range wanted {
		puts[i] = index.Put{Record: *record}
		if files != nil {
			own, settle, err := files(ctx, from, record)
			if err != nil {
				return 0, fmt.Errorf("files of record %d: %w", record.ID, err)
			}
			puts[i].Record.Files = own
			if settle != nil {
				settled = append(settled, settle)
			}
		}
		if parts[i].Count > 0 {
			puts[i].Vectors = index.Vectors{Space: space, Parts: parts[i]}
		}
		if parts[i].Count > 0 && len(tokens[i].Values) > 0 {
			if puts[i].Vectors.Tokens, err = embed.Pack(tokens[i], embed.PackInt8); err != nil {
				return 0, fmt.Errorf("image tokens of record %d: %w", record.ID, err)
			}
		}
		if record.Kind == index.KindImage {
			if jpeg, err := from.Thumbnail(ctx, record.ID); err == nil {
				puts[i].Thumbnail = jpeg // another one is made when it is asked for, where the original is at hand
			}
		}
	}
	return len(puts), put(ctx, to, puts)
}

// put writes records with what people gave them.
func put(ctx context.Context, to index.Library, puts []index.Put) error {
	if onCluster, is := to.(*cluster.Library); is {
		return onCluster.Import(ctx, puts)
	}
	result, err := to.Write(ctx, index.Batch{Puts: puts})
	if err != nil {
		return err
	}
	var given []index.GivenChange
	for i := range puts {
		if !puts[i].Record.Given.IsZero() {
			given = append(given, givenTo(result.IDs[i], &puts[i].Record))
		}
	}
	return give(ctx, to, given)
}

// givenTo gives a record what people gave another one.
func givenTo(id index.ID, record *index.Record) index.GivenChange {
	return index.GivenChange{ID: id, Set: ^index.GivenMembers(0), To: *record.Given}
}

func give(ctx context.Context, to index.Library, changes []index.GivenChange) error {
	if len(changes) == 0 {
		return nil
	}
	_, err := to.Write(ctx, index.Batch{Given: changes})
	return err
}
