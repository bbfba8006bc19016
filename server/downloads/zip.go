package downloads

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"mekiki/index"
	"mekiki/server/wire"
)

// writeZip writes the files of records, as they are and each under a name of its own. What
// cannot be read is listed in the archive and does not stop the rest.
func writeZip(ctx context.Context, w *writer, reader index.Reader, d download) error {
	archive := zip.NewWriter(w)
	names, unread := names{strings.ToLower(unreadName): 1}, []string(nil)
	err := each(ctx, reader, d, func(record *index.Record, _ *float64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := names.take(nameOf(record))
		content, err := open(ctx, reader, record)
		if err != nil {
			unread = append(unread, fmt.Sprintf("%s (record %s): the file has moved, or cannot be read", name, record.ID))
			return nil
		}
		defer content.Close()
		header := &zip.FileHeader{Name: name, Method: zip.Store, Modified: record.Modified()}
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		source := &watched{Reader: content}
		if _, err := io.Copy(entry, source); err != nil {
			if source.err == nil { // it is the archive that fails
				return err
			}
			unread = append(unread, fmt.Sprintf("%s (record %s): the file could be read in part only", name, record.ID))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(unread) > 0 {
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: unreadName, Method: zip.Store})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(entry, strings.Join(unread, "\n")+"\n"); err != nil {
			return err
		}
	}
	return archive.Close()
}

// open gives the content of a record: a file, or the text itself.
func open(ctx context.Context, reader index.Reader, record *index.Record) (io.ReadCloser, error) {
	if record.Kind == index.KindText {
		return io.NopCloser(strings.NewReader(record.Text)), nil
	}
	return reader.OpenOriginal(ctx, record.ID)
}

func nameOf(record *index.Record) string {
	if record.Kind == index.KindText {
		return "text-" + record.ID.String() + ".txt"
	}
	return wire.FileName(record)
}

// watched remembers what went wrong with reading.
type watched struct {
	io.Reader
	err error
}

func (r *watched) Read(buffer []byte) (int, error) {
	n, err := r.Reader.Read(buffer)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// names are those that an archive has, in lower case: not every file system tells cases apart. Each has the number that the last
// one like it got.
type names map[string]int

// take gives a name that the archive does not have yet: "cat.jpg", then "cat (2).jpg".
func (n names) take(name string) string {
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "_")
	}
	if strings.Trim(name, ". ") == "" {
		name = "_" + name
	}
	first := strings.ToLower(name)
	extension := path.Ext(name)
	for stem := strings.TrimSuffix(name, extension); n[strings.ToLower(name)] > 0; {
		n[first]++
		name = fmt.Sprintf("%s (%d)%s", stem, n[first], extension)
	}
	n[strings.ToLower(name)] = 1
	return name
}
