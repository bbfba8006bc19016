package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"mekiki/internal/bounded"
	"mekiki/internal/vfs"
)

const (
	// partSuffix ends the name of a file that is not complete, stateSuffix that of what is known of it.
	partSuffix  = ".part"
	stateSuffix = ".part.json"
	// manifestName is the file that says what was pulled.
	manifestName = "pull.json"
)

// span is a range of bytes, the end not included.
type span struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
}

// partState is what lies in a partial file. It is written after the bytes are on the disk.
type partState struct {
	Address string `json:"address"`
	Size    int64  `json:"size"`
	ETag    string `json:"etag,omitempty"`
	Digest  Digest `json:"digest"`
	// Done are the spans that are there, in order and apart.
	Done []span `json:"done"`
}

// matches reports whether a partial file is of the same content as the remote one.
func (s partState) matches(file remoteFile) bool {
	if s.Size != file.size || s.Digest != file.digest {
		return false
	}
	return file.digest.Algorithm != "" || s.Address == file.address && s.ETag == file.etag && s.ETag != ""
}

// valid reports whether the spans are in order, apart and within the size.
func (s partState) valid() bool {
	position := int64(-1)
	for _, done := range s.Done {
		if done.Start <= position || done.End <= done.Start || done.End > s.Size {
			return false
		}
		position = done.End
	}
	return true
}

// add marks a span as done and joins it with its neighbours.
func (s *partState) add(added span) {
	if added.End <= added.Start {
		return
	}
	all := append(slices.Clone(s.Done), added)
	slices.SortFunc(all, func(a, b span) int {
		switch {
		case a.Start < b.Start:
			return -1
		case a.Start > b.Start:
			return 1
		}
		return 0
	})
	joined := all[:1]
	for _, next := range all[1:] {
		if last := &joined[len(joined)-1]; next.Start <= last.End {
			last.End = max(last.End, next.End)
		} else {
			joined = append(joined, next)
		}
	}
	s.Done = joined
}

// missing lists the spans that are not done, none longer than most.
func (s *partState) missing(most int64) []span {
	var spans []span
	position := int64(0)
	fill := func(end int64) {
		for ; position < end; position = min(position+most, end) {
			spans = append(spans, span{position, min(position+most, end)})
		}
	}
	for _, done := range s.Done {
		fill(done.Start)
		position = done.End
	}
	fill(s.Size)
	return spans
}

// bytes counts what is done.
func (s *partState) bytes() int64 {
	total := int64(0)
	for _, done := range s.Done {
		total += done.End - done.Start
	}
	return total
}

// readRecord reads one of our own small JSON files; a missing one leaves the value as it is and reports false.
func readRecord(path string, value any) (bool, error) {
	data, err := bounded.ReadFile(path, maximumRecord)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.Is(err, bounded.ErrTooLong):
		return false, nil // damaged: as if it were not there
	case err != nil:
		return false, err
	}
	return json.Unmarshal(data, value) == nil, nil
}

// writeRecord replaces a small JSON file atomically and durably. No two goroutines or processes may write one record.
func writeRecord(path string, value any) error {
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	// One name for all, so that a process that is killed leaves no more than one behind; pulls take turns.
	temporary, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = temporary.Write(append(data, '\n'))
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return err
	}
	return vfs.SyncFolder(filepath.Dir(path))
}
