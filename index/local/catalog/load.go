package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"mekiki/index"
	"mekiki/index/local/journal"
	"mekiki/internal/vfs"
)

// The catalog is a folder of journals. Log n holds the commits that followed
// checkpoint n, which holds the state before them; log 1 begins with nothing.
const (
	Folder              = "catalog"
	LogSuffix           = ".log"
	CheckpointSuffix    = ".checkpoint"
	QuarantineFolder    = "quarantine"
	checkpointFrameSize = 1 << 20
)

// RemedyRepair is the remedy for damage that repairing puts right.
const RemedyRepair = "mekiki check --repair; then index the folders again"

// LogName is a log's path below the library's folder.
func LogName(number uint64) string {
	return filepath.Join(Folder, fmt.Sprintf("%08d%s", number, LogSuffix))
}

// CheckpointName is a checkpoint's path below the library's folder.
func CheckpointName(number uint64) string {
	return filepath.Join(Folder, fmt.Sprintf("%08d%s", number, CheckpointSuffix))
}

// Files lists the numbers of the logs and checkpoints, lowest first.
func Files(fsys vfs.FS, folder string) (logs, checkpoints []uint64, err error) {
	entries, err := fsys.ReadDir(filepath.Join(folder, Folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read catalog: %w", err)
	}
	for _, entry := range entries {
		if number, ok := Numbered(entry.Name(), LogSuffix); ok {
			logs = append(logs, number)
		}
		if number, ok := Numbered(entry.Name(), CheckpointSuffix); ok {
			checkpoints = append(checkpoints, number)
		}
	}
	slices.Sort(logs)
	slices.Sort(checkpoints)
	return logs, checkpoints, nil
}

// Numbered gives the number in a log's or checkpoint's name.
func Numbered(name, suffix string) (uint64, bool) {
	base, found := strings.CutSuffix(name, suffix)
	number, err := strconv.ParseUint(base, 10, 64)
	return number, found && err == nil && number > 0
}

// Loaded is a catalog as read.
type Loaded struct {
	State  *State
	Lookup *Lookup
	// checkpoint is the number of the one that was used; zero for none.
	checkpoint uint64
	// Log is the number of the last log, End where it goes on, Tail how many
	// bytes of an unfinished frame follow.
	Log       uint64
	End, Tail int64
	sealed    bool
	// header says that the last log's header is as written.
	header   bool
	Findings []index.Finding
	// Damaged are the catalog files with damage.
	Damaged map[string]bool
}

func (c *Loaded) find(file string, offset int64, message, remedy string) {
	c.Findings = append(c.Findings, index.Finding{File: file, Offset: offset, Damage: true, Message: message, Remedy: remedy})
	c.Damaged[file] = true
}

// Load reads the newest whole checkpoint and the logs that follow it. It
// changes nothing. Damage is stepped over and listed.
func Load(ctx context.Context, fsys vfs.FS, folder string) (*Loaded, error) {
	logs, checkpoints, err := Files(fsys, folder)
	if err != nil {
		return nil, err
	}
	if len(logs) == 0 && len(checkpoints) == 0 {
		return nil, missing(fsys, folder)
	}
	result := &Loaded{Damaged: map[string]bool{}}
	if err := result.loadCheckpoint(ctx, fsys, folder, checkpoints); err != nil {
		return nil, err
	}
	if logs, err = WithoutUnused(fsys, folder, logs, checkpoints); err != nil {
		return nil, err
	}
	transaction := Begin(result.State, result.Lookup, result.State.Sequence)
	transaction.loading()
	expected := max(result.checkpoint, 1)
	result.Log = expected
	for _, number := range logs {
		if number < expected {
			continue
		}
		if number > expected {
			result.find(LogName(expected), 0, "the log is missing", "restore the file, or a backup")
		}
		last := number == logs[len(logs)-1]
		if err := result.loadLog(ctx, fsys, folder, number, last, transaction); err != nil {
			return nil, err
		}
		expected = number + 1
	}
	if result.checkpoint > 1 && expected == result.checkpoint {
		// Its log was there before it; only a backup has a first checkpoint alone.
		result.find(LogName(expected), 0, "the log is missing", "restore a backup; or "+RemedyRepair)
	}
	result.State = transaction.Finish()
	result.Lookup = lookupOf(result.State)
	return result, nil
}

// WithoutUnused leaves out the last logs that were begun and never used: when
// the beginning of a log fails half-way, the one before it goes on. A log that
// follows a checkpoint of its number is in use, even when it is empty.
func WithoutUnused(fsys vfs.FS, folder string, logs, checkpoints []uint64) ([]uint64, error) {
	for len(logs) > 1 && !slices.Contains(checkpoints, logs[len(logs)-1]) {
		stat, err := fsys.Stat(filepath.Join(folder, LogName(logs[len(logs)-1])))
		if err != nil {
			return nil, fmt.Errorf("read catalog: %w", err)
		}
		if stat.Size() > journal.HeaderSize {
			break
		}
		logs = logs[:len(logs)-1]
	}
	return logs, nil
}

// loadCheckpoint loads the newest whole checkpoint; when none is whole, what
// can be read of the newest.
func (c *Loaded) loadCheckpoint(ctx context.Context, fsys vfs.FS, folder string, numbers []uint64) error {
	for _, number := range slices.Backward(numbers) {
		whole, err := c.readCheckpoint(ctx, fsys, folder, number)
		if err != nil {
			return err
		}
		if whole {
			return nil
		}
	}
	if len(numbers) > 0 {
		if logs, _, err := Files(fsys, folder); err != nil || len(logs) > 0 && logs[0] == 1 {
			c.empty()
			return err
		}
		_, err := c.salvageCheckpoint(ctx, fsys, folder, numbers[len(numbers)-1])
		return err
	}
	c.empty()
	return nil
}

func (c *Loaded) empty() {
	c.State, c.Lookup, c.checkpoint = &State{}, NewLookup(), 0
}

func (c *Loaded) readCheckpoint(ctx context.Context, fsys vfs.FS, folder string, number uint64) (bool, error) {
	before := len(c.Findings)
	whole, err := c.salvageCheckpoint(ctx, fsys, folder, number)
	if err != nil || whole {
		return whole, err
	}
	if len(c.Findings) == before {
		c.find(CheckpointName(number), 0, "the checkpoint is not whole", "mekiki check --repair")
	}
	return false, nil
}

func (c *Loaded) salvageCheckpoint(ctx context.Context, fsys vfs.FS, folder string, number uint64) (bool, error) {
	name := CheckpointName(number)
	c.empty()
	transaction := Begin(c.State, c.Lookup, 0)
	transaction.loading()
	result, err := c.ReplayJournal(ctx, fsys, folder, name, journal.Header{Kind: journal.Checkpoint, Number: number}, 0, transaction)
	if err != nil {
		return false, err
	}
	c.State, c.checkpoint = transaction.Finish(), number
	return result.Sealed && !result.HeaderDamaged && !result.Torn && len(result.Damages) == 0, nil
}

func (c *Loaded) loadLog(ctx context.Context, fsys vfs.FS, folder string, number uint64, last bool, transaction *Transaction) error {
	name := LogName(number)
	result, err := c.ReplayJournal(ctx, fsys, folder, name, journal.Header{Kind: journal.Log, Number: number}, 0, transaction)
	if err != nil {
		return err
	}
	c.Log, c.End, c.Tail, c.sealed = number, result.End, result.Size-result.End, result.Sealed
	c.header = !result.HeaderDamaged
	if result.Torn && !last {
		c.find(name, result.End, "the log ends in bytes that are not a whole frame", "mekiki check --repair")
	}
	return nil
}

// ReplayJournal gives every operation of a journal from offset on to the transaction.
func (c *Loaded) ReplayJournal(ctx context.Context, fsys vfs.FS, folder, name string, header journal.Header, offset int64, transaction *Transaction) (journal.Result, error) {
	file, err := fsys.Open(filepath.Join(folder, name))
	if err != nil {
		return journal.Result{}, fmt.Errorf("open %s: %w", name, err)
	}
	defer file.Close()
	result, err := journal.Read(file, header, offset, func(frame journal.Frame) error {
		return c.replayFrame(ctx, name, header.Kind, frame, transaction)
	})
	if errors.Is(err, journal.ErrVersion) {
		return result, fmt.Errorf("%s: %w: %w", name, index.ErrVersion, err)
	}
	if err != nil {
		return result, fmt.Errorf("read %s: %w", name, err)
	}
	if result.HeaderDamaged {
		c.find(name, 0, "the header is damaged", "mekiki check --repair")
	}
	for _, damage := range result.Damages {
		c.find(name, damage.Offset, damage.Reason, "mekiki check --repair; then index the folders again")
	}
	return result, nil
}

func (c *Loaded) replayFrame(ctx context.Context, name string, kind journal.Kind, frame journal.Frame, transaction *Transaction) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if kind == journal.Log && frame.Kind == journal.Data {
		if frame.Sequence <= transaction.Sequence {
			return nil
		}
		if frame.Sequence > transaction.Sequence+1 {
			c.find(name, 0, fmt.Sprintf("commits %d to %d are missing", transaction.Sequence+1, frame.Sequence-1),
				"mekiki check --repair; then index the folders again")
		}
	}
	transaction.Sequence = max(transaction.Sequence, frame.Sequence)
	payload := string(frame.Payload) // of which records have their texts
	decoded := decodeRecords(payload)
	return Operations(payload, func(kind OperationKind, body string) (err error) {
		if kind == operationPutRecord {
			err = transaction.replayRecord(decoded[0])
			decoded = decoded[1:]
		} else {
			err = transaction.replay(kind, body)
		}
		if errors.Is(err, index.ErrVersion) {
			return err
		}
		if err != nil {
			c.find(name, 0, fmt.Sprintf("commit %d holds an operation that makes no sense: %v", frame.Sequence, err), "restore a backup")
		}
		return nil
	})
}

// Writer is the writer's side of the catalog.
type Writer struct {
	fsys   vfs.FS
	folder string
	Log    *journal.Writer
	// current is log, for those who do not hold the writer.
	current atomic.Pointer[journal.Writer]
	// sealed says that the log ends with a seal.
	sealed bool
	// CheckpointBytes is the length of the newest checkpoint.
	CheckpointBytes int64
	// Damaged are files that must be kept when they are no longer needed.
	Damaged map[string]bool
}

// Create makes an empty catalog. Until the log's final name is durable
// there is no library.
func Create(fsys vfs.FS, folder string) error {
	path := filepath.Join(folder, Folder)
	if err := fsys.MkdirAll(path); err != nil {
		return fmt.Errorf("create library: %w", err)
	}
	temporary := filepath.Join(folder, LogName(1)+vfs.TemporarySuffix)
	log, err := journal.Create(fsys, temporary, journal.Header{Kind: journal.Log, Number: 1})
	if err != nil {
		return fmt.Errorf("create library: %w", err)
	}
	if err := log.Close(); err != nil {
		return fmt.Errorf("create library: %w", err)
	}
	if err := fsys.Rename(temporary, filepath.Join(folder, LogName(1))); err != nil {
		return fmt.Errorf("create library: %w", err)
	}
	if err := errors.Join(fsys.SyncDir(path), fsys.SyncDir(folder)); err != nil {
		return fmt.Errorf("create library: %w", err)
	}
	return nil
}

// OpenWriter makes a loaded catalog ready for writing: what a crash left of
// an unfinished commit is kept aside and cut off.
func OpenWriter(fsys vfs.FS, folder string, from *Loaded) (*Writer, error) {
	c := &Writer{fsys: fsys, folder: folder, Damaged: from.Damaged, sealed: from.sealed}
	name := filepath.Join(folder, LogName(from.Log))
	header := journal.Header{Kind: journal.Log, Number: from.Log}
	if stat, err := fsys.Stat(filepath.Join(folder, CheckpointName(max(from.checkpoint, 1)))); err == nil {
		c.CheckpointBytes = stat.Size()
	}
	_, err := fsys.Stat(name)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing && !from.Damaged[LogName(from.Log)] {
		return c, c.start(header)
	}
	if missing || !from.header {
		// Leave the log as it is, or missing, and go on in the next one.
		header.Number++
		return c, c.start(header)
	}
	if from.Tail > 0 {
		if err := KeepTail(fsys, folder, LogName(from.Log), from.End, from.Tail); err != nil {
			return nil, err
		}
	}
	log, err := journal.OpenAppend(fsys, name, header, from.End)
	if err != nil {
		return nil, err
	}
	c.setLog(log)
	return c, nil
}

// start begins a new log.
func (c *Writer) start(header journal.Header) error {
	name := filepath.Join(c.folder, LogName(header.Number))
	log, err := journal.Create(c.fsys, name+vfs.TemporarySuffix, header)
	if err != nil {
		return err
	}
	// Windows does not rename what is open.
	if err = log.Close(); err == nil {
		err = c.fsys.Rename(name+vfs.TemporarySuffix, name)
	}
	if err == nil {
		err = c.fsys.SyncDir(filepath.Join(c.folder, Folder))
	}
	if err == nil {
		log, err = journal.OpenAppend(c.fsys, name, header, journal.HeaderSize)
	}
	if err != nil {
		return fmt.Errorf("start log %d: %w", header.Number, err)
	}
	former := c.Log
	c.setLog(log)
	if former != nil {
		err = former.Close()
	}
	c.sealed = false
	return err
}

// Commit makes one frame of operations durable.
func (c *Writer) Commit(sequence uint64, payload []byte) error {
	if err := c.Log.Append(journal.Frame{Kind: journal.Data, Sequence: sequence, Payload: payload}); err != nil {
		return err
	}
	c.sealed = false
	return c.Log.Sync()
}

// Seal marks the log as closed in order.
func (c *Writer) Seal(sequence uint64) error {
	if c.sealed {
		return nil
	}
	if err := c.Log.Append(journal.Frame{Kind: journal.Seal, Sequence: sequence}); err != nil {
		return err
	}
	c.sealed = true
	return c.Log.Sync()
}

// DerivedFolder holds everything that can be deleted and is then rebuilt.
const DerivedFolder = "derived"

// Attached reports whether the log's name still means the log that is written.
func (c *Writer) Attached() (bool, error) {
	for {
		log := c.current.Load()
		same, err := log.Attached()
		if err == nil || c.current.Load() == log {
			return same, err
		} // else another log took its place meanwhile, and this one was closed
	}
}

// setLog makes a journal the one that is written.
func (c *Writer) setLog(log *journal.Writer) {
	c.Log = log
	c.current.Store(log)
}
