// Package sqlitefile reads SQLite databases of other programs, and never writes to them.
package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver"
	_ "github.com/ncruces/go-sqlite3/embed" // SQLite in WebAssembly

	"mekiki/internal/hint"
)

// File is an open database.
type File struct {
	db   *sql.DB
	path string
	name string // of the program
}

// Open opens a database of a program for reading: its locks are respected, and nothing in it is trusted to run.
func Open(ctx context.Context, path, program string) (*File, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the database of %s: %w", program, err)
	}
	if !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("open the database of %s: %s is not a file", program, path)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	slashed := filepath.ToSlash(absolute)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	query := url.Values{"mode": {"ro"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyMilliseconds), "query_only(1)", "trusted_schema(0)", "cell_size_check(1)", "mmap_size(0)"}}
	db, err := sql.Open("sqlite3", (&url.URL{Scheme: "file", Path: slashed, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open the database of %s: %w", program, err)
	}
	db.SetMaxOpenConns(1)
	f := &File{db: db, path: path, name: program}
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version); err != nil {
		return nil, errors.Join(f.explain(err), db.Close())
	}
	return f, nil
}

// explain says what an error of the database means.
func (f *File) explain(err error) error {
	wrapped := fmt.Errorf("read the database of %s, %s: %w", f.name, f.path, err)
	if failed := (*sqlite3.Error)(nil); errors.As(err, &failed) {
		switch failed.Code() {
		case sqlite3.BUSY, sqlite3.LOCKED:
			return hint.Wrap(wrapped, "close "+f.name+" and run this again")
		case sqlite3.NOTADB, sqlite3.CORRUPT:
			return hint.Wrap(wrapped, "name the database of "+f.name+"; if this is it, have "+f.name+" check it, or use a backup of it")
		case sqlite3.CANTOPEN:
			return hint.Wrap(wrapped, "copy the database, with its files -wal and -shm if there are any, to a folder that you can write to")
		}
	}
	return wrapped
}

// Close closes the database.
func (f *File) Close() error { return f.db.Close() }

// Has reports whether there is a table, or one with a column where column is not "".
func (f *File) Has(ctx context.Context, table, column string) (bool, error) {
	var count int
	query, arguments := "SELECT count(*) FROM pragma_table_info(?)", []any{table}
	if column != "" {
		query, arguments = query+" WHERE name = ? COLLATE NOCASE", append(arguments, column)
	}
	if err := f.db.QueryRowContext(ctx, query, arguments...).Scan(&count); err != nil {
		return false, f.explain(err)
	}
	return count > 0, nil
}

// Require fails where a table is missing: then it is another program's database.
func (f *File) Require(ctx context.Context, tables ...string) error {
	for _, table := range tables {
		has, err := f.Has(ctx, table, "")
		if err != nil {
			return err
		}
		if !has {
			return hint.Wrap(fmt.Errorf("%s is no database of %s: it has no table %s", f.path, f.name, table), "name the database of "+f.name)
		}
	}
	return nil
}

// Each calls do with each row of a query, which scans it. Values of another type than wanted are as if they were missing:
// scan into [Text] and [Number].
func (f *File) Each(ctx context.Context, do func(scan func(...any) error) error, query string, arguments ...any) error {
	rows, err := f.db.QueryContext(ctx, query, arguments...)
	if err != nil {
		return f.explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return f.explain(err)
	}
	return nil
}
