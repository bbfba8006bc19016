package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"mekiki/internal/bounded"
)

// The history of jobs in a file, so that jobs and their ids survive the server. It is written whole at every change of a
// job's state; progress is not kept.

// historyVersion is the version of the file's form, and historyBytes the most that is read of one.
const (
	historyVersion = 1
	historyBytes   = 64 << 20
)

// kindName is how kinds are called. Those that this version does not know are kept.
var kindName = regexp.MustCompile(`^[a-z]{1,32}$`)

type history struct {
	Version int `json:"version"`
	// Last is the id given last. None is given twice.
	Last int   `json:"last"`
	Jobs []Job `json:"jobs"` // oldest first
	// Resume asks for what was left to do.
	Resume []Request `json:"resume,omitempty"`
}

// readHistory reads what was kept; a missing file is an empty history.
func readHistory(path string) (history, error) {
	data, err := bounded.ReadFile(path, historyBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return history{Version: historyVersion}, nil
	}
	if err != nil {
		return history{}, fmt.Errorf("read jobs: %w", err)
	}
	return decodeHistory(data)
}

func decodeHistory(data []byte) (history, error) {
	var kept history
	if err := json.Unmarshal(data, &kept); err != nil {
		return history{}, fmt.Errorf("read jobs: %w", err)
	}
	if kept.Version != historyVersion {
		return history{}, fmt.Errorf("read jobs: version %d is not %d", kept.Version, historyVersion)
	}
	kept.Last = max(kept.Last, 0)
	kept.Jobs = slices.DeleteFunc(kept.Jobs, func(job Job) bool {
		number, err := strconv.Atoi(job.ID)
		return err != nil || number < 1 || strconv.Itoa(number) != job.ID || !kindName.MatchString(job.Kind) || len(job.Result) > maxResult || !job.State.valid()
	})
	for i := range kept.Jobs {
		number, _ := strconv.Atoi(kept.Jobs[i].ID) // checked above
		kept.Last = max(kept.Last, number)
		kept.Jobs[i].Paths = append([]string{}, kept.Jobs[i].Paths...)
	}
	kept.Jobs = kept.Jobs[max(0, len(kept.Jobs)-maxKept):]
	kept.Resume = slices.DeleteFunc(kept.Resume, func(asked Request) bool { return !asked.resumable() })
	kept.Resume = kept.Resume[:min(len(kept.Resume), maxKept)]
	return kept, nil
}

// resumable reports whether a request is of a kind that the next server takes up by itself: nothing but writing what is missing.
func (r Request) resumable() bool { return r.Kind == KindCaptions && r.Missing || r.Kind == KindWords }

// write puts the history in place of the one before. It makes no folder: the one that is to hold it is the library's.
func (h history) write(path string) (err error) {
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("keep jobs: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".jobs-*")
	if err != nil {
		return fmt.Errorf("keep jobs: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep jobs: %w", errors.Join(err, os.Remove(file.Name())))
		}
	}()
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// interrupted is what is said of jobs that a server was at, or was to do, when it ended.
const interrupted = "the server stopped before the job finished; what was indexed is kept, and indexing again does the rest"

// recall takes up the jobs of a history that are not known here. The mutex is held.
func (m *Manager) recall(kept history) {
	m.last = max(m.last, kept.Last)
	var recalled []*job
	for _, shown := range kept.Jobs {
		if m.find(shown.ID) != nil {
			continue
		}
		if !shown.State.Finished() {
			shown.State, shown.Error = Interrupted, interrupted
		}
		recalled = append(recalled, &job{shown: shown, changed: make(chan struct{})})
	}
	m.list = append(recalled, m.list...)
}

// reread looks for jobs that another server has kept meanwhile. The mutex is held.
func (m *Manager) reread() (kept history) {
	if m.path == "" {
		return kept
	}
	kept, err := readHistory(m.path)
	if err != nil {
		m.logger.Warn("jobs of before are not known", errorKey, err)
		return history{}
	}
	m.recall(kept)
	return kept
}

// Left gives, once, what earlier servers left to do, each request once.
func (m *Manager) Left() []Request {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	var left []Request
	for _, asked := range m.left {
		if !slices.ContainsFunc(left, func(other Request) bool { return reflect.DeepEqual(other, asked) }) {
			left = append(left, asked)
		}
	}
	m.left = nil
	return left
}

// keep writes the history. Jobs go on without it. The mutex is held.
func (m *Manager) keep() {
	if m.path == "" {
		return
	}
	kept := history{Version: historyVersion, Last: m.last}
	for _, each := range m.list {
		kept.Jobs = append(kept.Jobs, each.shown)
		if each.resume != nil {
			kept.Resume = append(kept.Resume, *each.resume)
		}
	}
	kept.Resume = append(kept.Resume, m.left...)
	if err := kept.write(m.path); err != nil {
		m.logger.Warn("jobs are forgotten when the server ends", errorKey, err)
	}
}
