package textrecord

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"mekiki/index"
	"mekiki/internal/hint"
)

// Format is the form of a file of texts.
type Format string

// The formats of files of texts.
const (
	// Lines has one text a line; blank lines are left out.
	Lines Format = "lines"
	// CSV has a header line; the columns "text" and "id" (or "external_id") are
	// the text and the user's id, and every other column is a field. A single
	// column is the text whatever its name.
	CSV Format = "csv"
	// JSONL has one object a line, with "text", "id" (or "external_id", as in the
	// HTTP API) if there is one, "tags"
	// if there are any, and every other value as a field; or a JSON string.
	JSONL Format = "jsonl"
)

// FormatOf tells the format by a file's name.
func FormatOf(name string) Format {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, ".csv"):
		return CSV
	case strings.HasSuffix(lower, ".jsonl"), strings.HasSuffix(lower, ".ndjson"):
		return JSONL
	}
	return Lines
}

// Options say how to read a file of texts.
type Options struct {
	// Format is the file's form; empty means [Lines].
	Format Format
	// Source is kept in the field "source" of each text, when it is not empty.
	Source string
	// BatchSize is the number of texts in one commit; zero means 256.
	BatchSize int
	// Progress is called after each commit with the number of texts so far.
	Progress func(done int)
}

// Summary is what came of a file of texts.
type Summary struct {
	// Read counts the texts in the file; Added of them are new or changed,
	// Known were there already.
	Read  int `json:"read"`
	Added int `json:"added"`
	Known int `json:"known"`
}

// entry is one text as read.
type entry struct {
	text, id string
	tags     []string
	fields   map[string]string
}

// hash identifies the content: the text, the user's id and the fields.
func (e *entry) hash() index.Hash {
	sum := sha256.New()
	write := func(value string) {
		_ = binary.Write(sum, binary.LittleEndian, uint64(len(value)))
		_, _ = io.WriteString(sum, value)
	}
	write("mekiki text")
	write(e.id)
	write(e.text)
	for _, name := range slices.Sorted(maps.Keys(e.fields)) {
		write(name)
		write(e.fields[name])
	}
	return index.Hash(sum.Sum(nil))
}

// AddFile brings a file of texts into the library, in durable batches. A text
// whose id is known replaces the one that had it. An error names the line.
func AddFile(ctx context.Context, library index.Library, engine Engine, source io.Reader, options Options) (Summary, error) {
	options.BatchSize, options.Format = cmp.Or(options.BatchSize, 256), cmp.Or(options.Format, Lines)
	if err := index.PrepareSpace(ctx, library, engine.Space(), false); err != nil {
		return Summary{}, fmt.Errorf("add texts: %w", err)
	}
	adder := &adder{library: library, engine: engine, options: options}
	var err error
	switch options.Format {
	case Lines:
		err = readLines(source, func(line int, text []byte) error { return adder.take(ctx, line, entry{text: string(text)}) })
	case JSONL:
		err = readLines(source, func(line int, data []byte) error {
			entry, err := parseObject(data)
			if err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
			return adder.take(ctx, line, entry)
		})
	case CSV:
		err = readCSV(source, func(line int, entry entry) error { return adder.take(ctx, line, entry) })
	default:
		err = fmt.Errorf("unknown format %q: expected lines, csv or jsonl", options.Format)
	}
	if err == nil {
		err = adder.commit(ctx)
	}
	switch {
	case err != nil && options.Source != "":
		return adder.summary, fmt.Errorf("add texts: %s: %w", options.Source, err)
	case err != nil:
		return adder.summary, fmt.Errorf("add texts: %w", err)
	}
	return adder.summary, nil
}

// readLines gives each line that is not blank, without white space around it.
func readLines(source io.Reader, visit func(int, []byte) error) error {
	lines := bufio.NewScanner(source)
	lines.Buffer(make([]byte, 0, 64<<10), maximumLine)
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\uFEFF")))
		if len(line) == 0 {
			continue
		}
		if !isText(line) {
			return hint.Wrap(fmt.Errorf("line %d is not UTF-8 text", number), convertRemedy)
		}
		if err := visit(number, line); err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d bytes", number+1, maximumLine)
	}
	return lines.Err()
}

const convertRemedy = "convert the file to UTF-8"

// isText tells UTF-8 from the rest. UTF-16 of plain letters is valid UTF-8 too, but
// full of zeros, which no text has.
func isText(data []byte) bool { return utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 }

func parseObject(data []byte) (entry, error) {
	var entry entry
	if data[0] == '"' {
		err := json.Unmarshal(data, &entry.text)
		entry.text = strings.TrimSpace(entry.text)
		return entry, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return entry, mistyped(err, "an object or a string")
	}
	for name, raw := range object {
		var err error
		switch name {
		case "text":
			err = mistyped(json.Unmarshal(raw, &entry.text), "a string")
			entry.text = strings.TrimSpace(entry.text)
		case "external_id":
			entry.id, err = plain(raw)
		case "id":
			if _, better := object["external_id"]; !better {
				entry.id, err = plain(raw)
			}
		case "tags":
			err = mistyped(json.Unmarshal(raw, &entry.tags), "a list of strings")
		default:
			var value string
			if value, err = plain(raw); err == nil {
				setField(&entry, name, value)
			}
		}
		if err != nil {
			return entry, fmt.Errorf("%q: %w", name, err)
		}
	}
	return entry, nil
}

// mistyped says in plain words that a JSON value is of another type than wanted.
func mistyped(err error, wanted string) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s where %s is wanted", wrong.Value, wanted)
	}
	return err
}

func setField(entry *entry, name, value string) {
	if value == "" {
		return
	}
	if entry.fields == nil {
		entry.fields = map[string]string{}
	}
	entry.fields[name] = value
}

// plain gives strings without quotes and everything else as JSON.
func plain(raw json.RawMessage) (string, error) {
	var text string
	if raw[0] == '"' {
		return text, json.Unmarshal(raw, &text)
	}
	if string(raw) == "null" {
		return "", nil
	}
	var number json.Number
	if json.Unmarshal(raw, &number) == nil {
		return number.String(), nil
	}
	var compact bytes.Buffer
	err := json.Compact(&compact, raw)
	return compact.String(), err
}

// boundedReader fails where more is read than may be left: a row of CSV goes on to
// the end of the file when a quotation mark is missing.
type boundedReader struct {
	source     io.Reader
	most, left int
}

// Read implements io.Reader.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, hint.Wrap(fmt.Errorf("a row is longer than %d bytes", b.most), "look for a quotation mark that is not closed")
	}
	n, err := b.source.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// readCSV gives each row with the number of its line.
func readCSV(source io.Reader, visit func(int, entry) error) error {
	bounded := &boundedReader{source: source, most: maximumRow, left: maximumRow}
	reader := csv.NewReader(bufio.NewReaderSize(bounded, 64<<10))
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	header = slices.Clone(header)
	header[0] = strings.TrimPrefix(header[0], "\uFEFF")
	if !isText([]byte(strings.Join(header, ""))) {
		return hint.Wrap(errors.New("the header is not UTF-8 text"), convertRemedy)
	}
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t") {
		return hint.Wrap(fmt.Errorf("the header %q has no comma", header[0]), "separate the columns with commas")
	}
	column := func(name string) int {
		return slices.IndexFunc(header, func(title string) bool { return strings.EqualFold(strings.TrimSpace(title), name) })
	}
	text, id := column("text"), column("external_id")
	if id < 0 {
		id = column("id")
	}
	if text < 0 && len(header) > 1 {
		return hint.Wrap(fmt.Errorf("the header has no column \"text\": %s", strings.Join(header, ", ")),
			"give the file a first line with the names of its columns, \"text\" among them")
	}
	text = max(text, 0)
	reader.ReuseRecord, reader.FieldsPerRecord = true, -1
	for {
		bounded.left = bounded.most
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := reader.FieldPos(0)
		if len(row) != len(header) {
			return hint.Wrap(fmt.Errorf("line %d has %d columns and the header %d", line, len(row), len(header)),
				"put texts with commas in quotation marks, and give every row as many columns as the header")
		}
		var entry entry
		for i, value := range row {
			switch {
			case len(value) > maximumLine:
				return fmt.Errorf("line %d, column %q is longer than %d bytes", line, header[i], maximumLine)
			case !isText([]byte(value)):
				return hint.Wrap(fmt.Errorf("line %d, column %q is not UTF-8 text", line, header[i]), convertRemedy)
			case i == text:
				entry.text = strings.TrimSpace(value)
			case i == id:
				entry.id = strings.TrimSpace(value)
			default:
				setField(&entry, strings.TrimSpace(header[i]), strings.TrimSpace(value))
			}
		}
		if err := visit(line, entry); err != nil {
			return err
		}
	}
}

type adder struct {
	library index.Library
	engine  Engine
	options Options
	waiting []entry
	summary Summary
}

func (a *adder) take(ctx context.Context, line int, entry entry) error {
	if entry.text == "" {
		return hint.Wrap(fmt.Errorf("line %d has no text", line), "give every row and object a text that is not empty")
	}
	if a.options.Source != "" {
		if _, set := entry.fields["source"]; !set {
			setField(&entry, "source", a.options.Source)
		}
	}
	a.summary.Read++
	a.waiting = append(a.waiting, entry)
	if len(a.waiting) >= a.options.BatchSize {
		return a.commit(ctx)
	}
	return nil
}

func (a *adder) commit(ctx context.Context) error {
	waiting := a.waiting
	a.waiting = a.waiting[:0]
	puts, err := a.changesOf(ctx, waiting)
	if err != nil {
		return err
	}
	if len(puts) > 0 {
		if err := embedPuts(ctx, a.library, a.engine, puts); err != nil {
			return err
		}
		if _, err := a.library.Write(ctx, index.Batch{Puts: puts}); err != nil {
			return err
		}
	}
	if a.options.Progress != nil {
		a.options.Progress(a.summary.Read)
	}
	return nil
}

// changesOf gives the records of the entries that the library does not have as they are.
func (a *adder) changesOf(ctx context.Context, entries []entry) ([]index.Put, error) {
	reader, err := a.library.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	hashes := make([]index.Hash, len(entries))
	for i := range entries {
		hashes[i] = entries[i].hash()
	}
	records, embedded, err := embeddedOf(ctx, reader, a.engine.Space(), hashes)
	if err != nil {
		return nil, err
	}
	var puts []index.Put
	named := map[string]bool{} // the ids that an entry before replaces
	twice := map[index.Hash]bool{}
	for i := range entries {
		entry := &entries[i]
		hash := hashes[i]
		known := embedded[i] && len(missingTags(records[i].Tags, entry.tags)) == 0
		known = known || twice[hash] && len(entry.tags) == 0
		if known && !named[entry.id] {
			a.summary.Known++
			continue
		}
		a.summary.Added++
		named[entry.id], twice[hash] = entry.id != "", true
		puts = append(puts, index.Put{Record: index.Record{
			Kind: index.KindText, Hash: hash, Text: entry.text, ExternalID: entry.id, Fields: entry.fields, Tags: entry.tags,
			Bytes: int64(len(entry.text)),
		}})
	}
	return puts, nil
}

// missingTags gives the wanted tags that are not there.
func missingTags(tags, wanted []string) []string {
	var missing []string
	for _, tag := range wanted {
		if tag = strings.Join(strings.Fields(tag), " "); tag != "" && !slices.Contains(tags, tag) {
			missing = append(missing, tag)
		}
	}
	return missing
}
