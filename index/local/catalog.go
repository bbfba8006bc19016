package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mekiki/index"
	"mekiki/index/internal/journal"
	"mekiki/internal/vfs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// The catalog is a folder of journals. Log n holds the commits that followed
// checkpoint n, which holds the state before them; log 1 begins with nothing.
const (
	catalogFolder       = "catalog"
	logSuffix           = ".log"
	checkpointSuffix    = ".checkpoint"
	temporarySuffix     = ".new"
	quarantineFolder    = "quarantine"
	checkpointFrameSize = 1 << 20
)

func logName(number uint64) string {
	return filepath.Join(catalogFolder, fmt.Sprintf("%08d%s", number, logSuffix))
}

func checkpointName(number uint64) string {
	return filepath.Join(catalogFolder, fmt.Sprintf("%08d%s", number, checkpointSuffix))
}

// catalogFiles lists the numbers of the logs and checkpoints, lowest first.
func catalogFiles(fsys vfs.FS, folder string) (logs, checkpoints []uint64, err error) {
	entries, err := fsys.ReadDir(filepath.Join(folder, catalogFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read catalog: %w", err)
	}
	for _, entry := range entries {
		if number, ok := numbered(entry.Name(), logSuffix); ok {
			logs = append(logs, number)
		}
		if number, ok := numbered(entry.Name(), checkpointSuffix); ok {
			checkpoints = append(checkpoints, number)
		}
	}
	slices.Sort(logs)
	slices.Sort(checkpoints)
	return logs, checkpoints, nil
}

func numbered(name, suffix string) (uint64, bool) {
	base, found := strings.CutSuffix(name, suffix)
	number, err := strconv.ParseUint(base, 10, 64)
	return number, found && err == nil && number > 0
}

// loaded is a catalog as read.
type loaded struct {
	state  *state
	lookup *lookup
	// checkpoint is the number of the one that was used; zero for none.
	checkpoint uint64
	// log is the number of the last log, end where it goes on, tail how many
	// bytes of an unfinished frame follow.
	log       uint64
	end, tail int64
	sealed    bool
	// header says that the last log's header is as written.
	header   bool
	findings []index.Finding
	// damaged are the catalog files with damage.
	damaged map[string]bool
}

func (c *loaded) find(file string, offset int64, message, remedy string) {
	c.findings = append(c.findings, index.Finding{File: file, Offset: offset, Damage: true, Message: message, Remedy: remedy})
	c.damaged[file] = true
}

// loadCatalog reads the newest whole checkpoint and the logs that follow it. It
// changes nothing. Damage is stepped over and listed.
func loadCatalog(ctx context.Context, fsys vfs.FS, folder string) (*loaded, error) {
	logs, checkpoints, err := catalogFiles(fsys, folder)
	if err != nil {
		return nil, err
	}
	if len(logs) == 0 && len(checkpoints) == 0 {
		return nil, noCatalog(fsys, folder)
	}
	result := &loaded{damaged: map[string]bool{}}
	if err := result.loadCheckpoint(ctx, fsys, folder, checkpoints); err != nil {
		return nil, err
	}
	if logs, err = withoutUnused(fsys, folder, logs, checkpoints); err != nil {
		return nil, err
	}
	transaction := newTransaction(result.state, result.lookup, result.state.sequence)
	transaction.loading()
	expected := max(result.checkpoint, 1)
	result.log = expected
	for _, number := range logs {
		if number < expected {
			continue
		}
		if number > expected {
			result.find(logName(expected), 0, "the log is missing", "restore the file, or a backup")
		}
		last := number == logs[len(logs)-1]
		if err := result.loadLog(ctx, fsys, folder, number, last, transaction); err != nil {
			return nil, err
		}
		expected = number + 1
	}
	if result.checkpoint > 1 && expected == result.checkpoint {
		// Its log was there before it; only a backup has a first checkpoint alone.
		result.find(logName(expected), 0, "the log is missing", "restore a backup; or "+remedyRepair)
	}
	result.state = transaction.finish()
	result.lookup.tidy()
	return result, nil
}

// withoutUnused leaves out the last logs that were begun and never used: when
// the beginning of a log fails half-way, the one before it goes on. A log that
// follows a checkpoint of its number is in use, even when it is empty.
func withoutUnused(fsys vfs.FS, folder string, logs, checkpoints []uint64) ([]uint64, error) {
	for len(logs) > 1 && !slices.Contains(checkpoints, logs[len(logs)-1]) {
		stat, err := fsys.Stat(filepath.Join(folder, logName(logs[len(logs)-1])))
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
func (c *loaded) loadCheckpoint(ctx context.Context, fsys vfs.FS, folder string, numbers []uint64) error {
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
		if logs, _, err := catalogFiles(fsys, folder); err != nil || len(logs) > 0 && logs[0] == 1 {
			c.empty()
			return err
		}
		_, err := c.salvageCheckpoint(ctx, fsys, folder, numbers[len(numbers)-1])
		return err
	}
	c.empty()
	return nil
}

func (c *loaded) empty() {
	c.state, c.lookup, c.checkpoint = &state{}, newLookup(), 0
}

func (c *loaded) readCheckpoint(ctx context.Context, fsys vfs.FS, folder string, number uint64) (bool, error) {
	before := len(c.findings)
	whole, err := c.salvageCheckpoint(ctx, fsys, folder, number)
	if err != nil || whole {
		return whole, err
	}
	if len(c.findings) == before {
		c.find(checkpointName(number), 0, "the checkpoint is not whole", "mekiki check --repair")
	}
	return false, nil
}

func (c *loaded) salvageCheckpoint(ctx context.Context, fsys vfs.FS, folder string, number uint64) (bool, error) {
	c.empty()
	transaction := newTransaction(c.state, c.lookup, 0)
	transaction.loading()
	name := checkpointName(number)
	result, err := c.replayJournal(ctx, fsys, folder, name, journal.Header{Kind: journal.Checkpoint, Number: number}, 0, transaction)
	if err != nil {
		return false, err
	}
	c.state, c.checkpoint = transaction.finish(), number
	return result.Sealed && !result.HeaderDamaged && !result.Torn && len(result.Damages) == 0, nil
}

func (c *loaded) loadLog(ctx context.Context, fsys vfs.FS, folder string, number uint64, last bool, transaction *transaction) error {
	name := logName(number)
	result, err := c.replayJournal(ctx, fsys, folder, name, journal.Header{Kind: journal.Log, Number: number}, 0, transaction)
	if err != nil {
		return err
	}
	c.log, c.end, c.tail, c.sealed = number, result.End, result.Size-result.End, result.Sealed
	c.header = !result.HeaderDamaged
	if result.Torn && !last {
		c.find(name, result.End, "the log ends in bytes that are not a whole frame", "mekiki check --repair")
	}
	return nil
}

// replayJournal gives every operation of a journal from offset on to the transaction.
func (c *loaded) replayJournal(ctx context.Context, fsys vfs.FS, folder, name string, header journal.Header, offset int64, transaction *transaction) (journal.Result, error) {
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

func (c *loaded) replayFrame(ctx context.Context, name string, kind journal.Kind, frame journal.Frame, transaction *transaction) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if kind == journal.Log && frame.Kind == journal.Data {
		if frame.Sequence <= transaction.sequence {
			return nil
		}
		if frame.Sequence > transaction.sequence+1 {
			c.find(name, 0, fmt.Sprintf("commits %d to %d are missing", transaction.sequence+1, frame.Sequence-1),
				"mekiki check --repair; then index the folders again")
		}
	}
	transaction.sequence = max(transaction.sequence, frame.Sequence)
	return operations(frame.Payload, func(kind operationKind, body []byte) error {
		err := transaction.replay(kind, body)
		if errors.Is(err, index.ErrVersion) {
			return err
		}
		if err != nil {
			c.find(name, 0, fmt.Sprintf("commit %d holds an operation that makes no sense: %v", frame.Sequence, err), "restore a backup")
		}
		return nil
	})
}

// catalog is the writer's side of the catalog.
type catalog struct {
	fsys   vfs.FS
	folder string
	log    *journal.Writer
	// current is log, for those who do not hold the writer.
	current atomic.Pointer[journal.Writer]
	// sealed says that the log ends with a seal.
	sealed bool
	// checkpointBytes is the length of the newest checkpoint.
	checkpointBytes int64
	// damaged are files that must be kept when they are no longer needed.
	damaged map[string]bool
}

// createCatalog makes an empty catalog. Until the log's final name is durable
// there is no library.
func createCatalog(fsys vfs.FS, folder string) error {
	path := filepath.Join(folder, catalogFolder)
	if err := fsys.MkdirAll(path); err != nil {
		return fmt.Errorf("create library: %w", err)
	}
	temporary := filepath.Join(folder, logName(1)+temporarySuffix)
	log, err := journal.Create(fsys, temporary, journal.Header{Kind: journal.Log, Number: 1})
	if err != nil {
		return fmt.Errorf("create library: %w", err)
	}
	if err := log.Close(); err != nil {
		return fmt.Errorf("create library: %w", err)
	}
	if err := fsys.Rename(temporary, filepath.Join(folder, logName(1))); err != nil {
		return fmt.Errorf("create library: %w", err)
	}
	if err := errors.Join(fsys.SyncDir(path), fsys.SyncDir(folder)); err != nil {
		return fmt.Errorf("create library: %w", err)
	}
	return nil
}

// openCatalog makes a loaded catalog ready for writing: what a crash left of
// an unfinished commit is kept aside and cut off.
func openCatalog(fsys vfs.FS, folder string, from *loaded) (*catalog, error) {
	c := &catalog{fsys: fsys, folder: folder, damaged: from.damaged, sealed: from.sealed}
	name := filepath.Join(folder, logName(from.log))
	header := journal.Header{Kind: journal.Log, Number: from.log}
	if stat, err := fsys.Stat(filepath.Join(folder, checkpointName(max(from.checkpoint, 1)))); err == nil {
		c.checkpointBytes = stat.Size()
	}
	_, err := fsys.Stat(name)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing && !from.damaged[logName(from.log)] {
		return c, c.start(header)
	}
	if missing || !from.header {
		// Leave the log as it is, or missing, and go on in the next one.
		header.Number++
		return c, c.start(header)
	}
	if from.tail > 0 {
		if err := keepTail(fsys, folder, logName(from.log), from.end, from.tail); err != nil {
			return nil, err
		}
	}
	log, err := journal.OpenAppend(fsys, name, header, from.end)
	if err != nil {
		return nil, err
	}
	c.setLog(log)
	return c, nil
}

// start begins a new log.
func (c *catalog) start(header journal.Header) error {
	name := filepath.Join(c.folder, logName(header.Number))
	log, err := journal.Create(c.fsys, name+temporarySuffix, header)
	if err != nil {
		return err
	}
	// Windows does not rename what is open.
	if err = log.Close(); err == nil {
		err = c.fsys.Rename(name+temporarySuffix, name)
	}
	if err == nil {
		err = c.fsys.SyncDir(filepath.Join(c.folder, catalogFolder))
	}
	if err == nil {
		log, err = journal.OpenAppend(c.fsys, name, header, journal.HeaderSize)
	}
	if err != nil {
		return fmt.Errorf("start log %d: %w", header.Number, err)
	}
	former := c.log
	c.setLog(log)
	if former != nil {
		err = former.Close()
	}
	c.sealed = false
	return err
}

// commit makes one frame of operations durable.
func (c *catalog) commit(sequence uint64, payload []byte) error {
	if err := c.log.Append(journal.Frame{Kind: journal.Data, Sequence: sequence, Payload: payload}); err != nil {
		return err
	}
	c.sealed = false
	return c.log.Sync()
}

// seal marks the log as closed in order.
func (c *catalog) seal(sequence uint64) error {
	if c.sealed {
		return nil
	}
	if err := c.log.Append(journal.Frame{Kind: journal.Seal, Sequence: sequence}); err != nil {
		return err
	}
	c.sealed = true
	return c.log.Sync()
}
