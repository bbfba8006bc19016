package bring

import (
	"context"
	"crypto/md5"  //nolint:gosec // it is what digiKam hashes with, of files that are the user's own
	"crypto/sha1" //nolint:gosec // it is what Immich hashes with
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"mekiki/index"
	"mekiki/index/ingest/drives"
)

// How says by what a picture was found.
type How string

// By what pictures are found.
const (
	ByPath     How = "path"
	ByContent  How = "content"
	ByNameSize How = "name and size"
)

// errUnmatched says why the library does not have a picture.
var errUnmatched = errors.New("")

func unmatched(format string, arguments ...any) error {
	return fmt.Errorf("%w"+format, append([]any{errUnmatched}, arguments...)...)
}

// Mapping replaces the beginning of paths.
type Mapping struct{ From, To string }

// ParseMapping reads "/from=/to".
func ParseMapping(text string) (Mapping, error) {
	from, to, ok := strings.Cut(text, "=")
	if !ok || from == "" || to == "" {
		return Mapping{}, fmt.Errorf("%q is no mapping: write the folder there, =, and the folder here, such as /photos=/home/ada/Pictures", text)
	}
	to, err := filepath.Abs(to)
	return Mapping{path.Clean(slashed(from)), to}, err
}

// slashed gives a path of any system with slashes.
func slashed(text string) string {
	if len(text) > 2 && (text[1] == ':' && text[2] == '\\' || strings.HasPrefix(text, `\\`)) {
		text = strings.ReplaceAll(text, `\`, "/")
	}
	return text
}

// matcher finds the records of items in one state of a library.
type matcher struct {
	reader   index.Reader
	mappings []Mapping
	sums     map[sumKey]string // of records that were read
	built    bool
	bySize   map[int64][]*index.Record
	byStem   map[string][]*index.Record
}

type sumKey struct {
	id   index.ID
	kind SumKind
}

// here gives where a path of the other program lies on this machine.
func (m *matcher) here(there string) string {
	there = path.Clean(slashed(there))
	best, found := Mapping{}, false
	for _, mapping := range m.mappings {
		below := there == mapping.From || strings.HasPrefix(there, strings.TrimSuffix(mapping.From, "/")+"/")
		if below && (!found || len(mapping.From) > len(best.From)) {
			best, found = mapping, true
		}
	}
	if found {
		return filepath.Join(best.To, filepath.FromSlash(strings.TrimPrefix(there, best.From)))
	}
	return filepath.FromSlash(there)
}

// find gives the record of an item; the error is one of [errUnmatched] where there is none.
func (m *matcher) find(ctx context.Context, item Item) (*index.Record, How, error) {
	here := ""
	if item.Path != "" {
		here = m.here(item.Path)
		if record, err := m.byPath(ctx, here, item.Stem); err != nil || record != nil {
			return record, ByPath, err
		}
	}
	if record, err := m.byContent(ctx, item); err != nil || record != nil {
		return record, ByContent, err
	}
	if item.Name == "" || item.Bytes <= 0 {
		return nil, "", unmatched("the library has no picture at %s", here)
	}
	if err := m.build(ctx); err != nil {
		return nil, "", err
	}
	var found []*index.Record
	for _, record := range m.bySize[item.Bytes] {
		if hasName(record, item.Name) {
			found = append(found, record)
		}
	}
	switch len(found) {
	case 0:
		return nil, "", unmatched("the library has no picture of this path, content, or name and size")
	case 1:
		return found[0], ByNameSize, nil
	}
	return nil, "", unmatched("the library has %d pictures of this name and size", len(found))
}

func hasName(record *index.Record, name string) bool {
	for _, file := range record.Files {
		if strings.EqualFold(filepath.Base(file.Path), name) || file.Name != "" && strings.EqualFold(path.Base(file.Name), name) {
			return true
		}
	}
	return false
}

func (m *matcher) byPath(ctx context.Context, here string, stem bool) (*index.Record, error) {
	if !filepath.IsAbs(here) {
		return nil, nil
	}
	if !stem {
		return index.One(m.reader.RecordsByPath(ctx, []string{here}))
	}
	if err := m.build(ctx); err != nil {
		return nil, err
	}
	switch found := m.byStem[here]; len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	default:
		return nil, unmatched("the library has %d pictures called %s", len(found), filepath.Base(here))
	}
}

// build goes through the library once.
func (m *matcher) build(ctx context.Context) error {
	if m.built {
		return nil
	}
	m.bySize, m.byStem = map[int64][]*index.Record{}, map[string][]*index.Record{}
	for record, err := range m.reader.All(ctx) {
		if err != nil {
			return err
		}
		if record.Kind != index.KindImage {
			continue
		}
		m.bySize[record.Bytes] = append(m.bySize[record.Bytes], record)
		for _, file := range record.Files {
			stem := strings.TrimSuffix(file.Path, filepath.Ext(file.Path))
			m.byStem[stem] = append(m.byStem[stem], record)
		}
	}
	m.built = true
	return nil
}

// byContent reads the library's pictures of an item's size, until one has its hash.
func (m *matcher) byContent(ctx context.Context, item Item) (*index.Record, error) {
	if item.Sum.Hex == "" && item.File != "" {
		item.Sum = sumOfFile(item.File)
	}
	if item.Sum.Hex == "" {
		return nil, nil
	}
	if item.Sum.Kind == SHA256 {
		var hash index.Hash
		if n, err := hex.Decode(hash[:], []byte(item.Sum.Hex[:min(len(item.Sum.Hex), 2*len(hash))])); err != nil || n != len(hash) {
			return nil, nil
		}
		return index.One(m.reader.RecordsByHash(ctx, []index.Hash{hash}))
	}
	if item.Bytes <= 0 {
		return nil, nil
	}
	if err := m.build(ctx); err != nil {
		return nil, err
	}
	for _, record := range m.bySize[item.Bytes] {
		sum, err := m.sumOf(ctx, record, item.Sum.Kind)
		if err != nil {
			return nil, err
		}
		if sum != "" && strings.EqualFold(sum, item.Sum.Hex) {
			return record, nil
		}
	}
	return nil, nil
}

// sumOf gives the hash of a record's content; "" where it cannot be read.
func (m *matcher) sumOf(ctx context.Context, record *index.Record, kind SumKind) (string, error) {
	key := sumKey{record.ID, kind}
	if known, ok := m.sums[key]; ok {
		return known, nil
	}
	original, err := m.reader.OpenOriginal(ctx, record.ID)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	sum := ""
	if err == nil {
		sum = hashOf(original, kind, record.Bytes)
		_ = original.Close() // it was only read
	}
	if m.sums == nil {
		m.sums = map[sumKey]string{}
	}
	m.sums[key] = sum
	return sum, nil
}

// hashOf gives a hash of a content of a length; "" where it cannot be read.
func hashOf(content io.ReadSeeker, kind SumKind, length int64) string {
	if kind == SHA1 {
		sum := sha1.New() //nolint:gosec // see the imports
		if _, err := io.Copy(sum, content); err != nil {
			return ""
		}
		return hex.EncodeToString(sum.Sum(nil))
	}
	part := min(length, hashedEnd)
	sum := md5.New() //nolint:gosec // see the imports
	if _, err := io.CopyN(sum, content, part); err != nil {
		return ""
	}
	if _, err := content.Seek(length-part, io.SeekStart); err != nil {
		return ""
	}
	if _, err := io.CopyN(sum, content, part); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// sumOfFile gives the SHA-256 of a file; none where it cannot be read.
func sumOfFile(name string) Sum {
	file, err := drives.OpenToRead(name)
	if err != nil {
		return Sum{}
	}
	defer file.Close()
	sum := sha256.New()
	if stat, err := file.Stat(); err != nil || !stat.Mode().IsRegular() {
		return Sum{}
	}
	if _, err := io.Copy(sum, file); err != nil {
		return Sum{}
	}
	return Sum{SHA256, hex.EncodeToString(sum.Sum(nil))}
}
