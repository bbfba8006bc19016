package downloads

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/server/wire"
)

// columns are the columns of a table, and what a record has there.
var columns = []struct {
	name string
	of   func(r *index.Record) string
}{
	{"id", func(r *index.Record) string { return r.ID.String() }},
	{"kind", func(r *index.Record) string { return r.Kind.String() }},
	{"path", func(r *index.Record) string { return text(r.Path()) }},
	{"name", func(r *index.Record) string { return text(cmp.Or(r.Name(), wire.FileName(r))) }},
	{"format", func(r *index.Record) string { return text(r.Format) }},
	{"width", func(r *index.Record) string { return strconv.Itoa(r.Width) }},
	{"height", func(r *index.Record) string { return strconv.Itoa(r.Height) }},
	{"bytes", func(r *index.Record) string { return strconv.FormatInt(r.Bytes, 10) }},
	{"date", func(r *index.Record) string { return r.Date().UTC().Format(time.DateTime) }},
	{"title", func(r *index.Record) string { return text(r.Title()) }},
	{"description", func(r *index.Record) string { return text(r.Description()) }},
	{"caption", func(r *index.Record) string { return text(r.Caption()) }},
	{"text", func(r *index.Record) string { return text(r.Text) }},
	{"ocr", func(r *index.Record) string { return text(strings.Join(r.OCR.Texts(), " / ")) }},
	{"tags", func(r *index.Record) string { return list(r.Tags) }},
	{"keywords", func(r *index.Record) string { return list(r.Metadata.Keywords) }},
	{"people", func(r *index.Record) string { return list(r.People()) }},
	{"collections", func(r *index.Record) string { return list(r.Collections()) }},
	{"rating", func(r *index.Record) string { return number(r.Rating(), strconv.Itoa) }},
	{"favourite", func(r *index.Record) string { return strconv.FormatBool(r.Favourite()) }},
	{"creator", func(r *index.Record) string { return text(r.Metadata.Creator) }},
	{"copyright", func(r *index.Record) string { return text(r.Metadata.Copyright) }},
	{"camera", func(r *index.Record) string { return text(r.Metadata.Camera) }},
	{"place", func(r *index.Record) string { return text(r.Metadata.Place) }},
	{"latitude", func(r *index.Record) string { return number(r.Metadata.Latitude, decimal) }},
	{"longitude", func(r *index.Record) string { return number(r.Metadata.Longitude, decimal) }},
}

func decimal(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// number writes what is known, and nothing of what is not.
func number[T any](value *T, write func(T) string) string {
	if value == nil {
		return ""
	}
	return write(*value)
}

func list(values []string) string { return text(strings.Join(values, "; ")) }

// text makes a cell of what files and people say. A spreadsheet takes a cell that begins
// with one of these characters for a formula and computes it, unless a quotation mark goes
// before it: https://owasp.org/www-community/attacks/CSV_Injection.
func text(value string) string {
	if trimmed := strings.TrimLeft(value, " "); trimmed != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(trimmed)[0]) {
		return "'" + value
	}
	return value
}

// writeCSV writes a table as RFC 4180 has it, in UTF-8.
func writeCSV(ctx context.Context, w *writer, reader index.Reader, d download) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	table := csv.NewWriter(buffered)
	table.UseCRLF = true
	row := make([]string, 0, len(columns)+1)
	for _, column := range columns {
		row = append(row, column.name)
	}
	if d.scores != nil {
		row = append(row, "score")
	}
	if err := table.Write(row); err != nil {
		return err
	}
	err := each(ctx, reader, d, func(record *index.Record, score *float64) error {
		row = row[:0]
		for _, column := range columns {
			row = append(row, column.of(record))
		}
		if score != nil {
			row = append(row, decimal(*score))
		}
		return table.Write(row)
	})
	if err != nil {
		return err
	}
	if table.Flush(); table.Error() != nil {
		return table.Error()
	}
	return buffered.Flush()
}

// writeJSON writes a list of records.
func writeJSON(ctx context.Context, w *writer, reader index.Reader, d download) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	between := "[\n"
	err := each(ctx, reader, d, func(record *index.Record, score *float64) error {
		if _, err := buffered.WriteString(between); err != nil {
			return err
		}
		between = ","
		return encoder.Encode(struct {
			Record wire.Record `json:"record"`
			Score  *float64    `json:"score,omitempty"`
		}{wire.RecordOf(record), score})
	})
	if err != nil {
		return err
	}
	if between != "," {
		if _, err := buffered.WriteString("["); err != nil {
			return err
		}
	}
	if _, err := buffered.WriteString("]\n"); err != nil {
		return err
	}
	return buffered.Flush()
}

// writePaths writes the paths of the files, one a line.
func writePaths(ctx context.Context, w *writer, reader index.Reader, d download) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	err := each(ctx, reader, d, func(record *index.Record, _ *float64) error {
		if record.Path() == "" {
			return nil
		}
		_, err := io.WriteString(buffered, record.Path()+"\n")
		return err
	})
	if err != nil {
		return err
	}
	return buffered.Flush()
}
