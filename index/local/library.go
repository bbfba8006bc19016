package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/internal/segment"
	"mekiki/index/vector"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
	"mekiki/internal/vfs"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options say how to open a library.
type Options struct {
	// ReadOnly opens without the writer's lock; several processes may read
	// while one writes. The library must exist.
	ReadOnly bool
	// DeferVectors loads the vectors when they are first searched, for those
	// who only write or list: opening is faster and takes less memory.
	DeferVectors bool
	// Logger receives warnings such as repaired or damaged files; nil is
	// silent.
	Logger *slog.Logger
	// Decoder reads originals, for thumbnails and for whoever asks the library for
	// it; the caller closes it. Nil means one of the library's own, with the
	// defaults of package pixels.
	Decoder *pixels.Decoder
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// FileSystem holds the library; nil means the operating system's. On
	// another one the keyword index is kept in memory.
	FileSystem vfs.FS
	// CheckpointBytes is the length of the operation log from which on the
	// next commit writes a checkpoint; zero means 64 MiB.
	CheckpointBytes int64
	// SegmentBytes is the length from which on a new segment is begun; zero
	// means 512 MiB.
	SegmentBytes int64

	// keptVectors is the number of vectors up to which an index keeps them in
	// full precision, and celledVectors that from which it has cells; zero means
	// the constants.
	keptVectors, celledVectors int
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FileSystem == nil {
		o.FileSystem = vfs.OS{}
	}
	if o.CheckpointBytes == 0 {
		o.CheckpointBytes = 64 << 20
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = segmentLimit
	}
	if o.keptVectors == 0 {
		o.keptVectors = keptVectors
	}
	if o.celledVectors == 0 {
		o.celledVectors = vector.ApproximateFrom
	}
	return o
}

// Validate reports every option that is out of range.
func (o Options) Validate() error {
	var problems []error
	if o.CheckpointBytes < 0 {
		problems = append(problems, fmt.Errorf("checkpoint bytes %d are negative", o.CheckpointBytes))
	}
	if o.SegmentBytes < 0 {
		problems = append(problems, fmt.Errorf("segment bytes %d are negative", o.SegmentBytes))
	}
	return errors.Join(problems...)
}

// Library is an open library. Its methods may be called from any goroutine.
type Library struct {
	folder  string
	options Options
	fsys    vfs.FS
	logger  *slog.Logger
	decoder *pixels.Decoder
	// background is shared with the library that this one was before it was read
	// anew.
	background *background
	lock       io.Closer
	lookup     *lookup
	derived    *derived
	read       catalogEnd
	// former is what a reader showed before it reads everything anew.
	former *view
	// readOnly says that it is open for reading, until it is promoted.
	readOnly atomic.Bool

	// writer is held by the goroutine that commits.
	writer    sync.Mutex
	catalog   *catalog
	appenders map[appenderKey]*segmentAppender
	failed    error

	queueMutex sync.Mutex
	queue      []*writeRequest

	// mutex guards what follows; it is held for moments only.
	mutex    sync.Mutex
	view     *view
	closed   bool
	findings []index.Finding
}

type appenderKey struct {
	space uint64
	kind  segment.Kind
}

// Open opens the library in a folder. Unless it is only to be read, a missing
// library is created, the writer's lock is taken (an error that is [index.ErrLocked]
// names the holder), and whatever derived data is missing or behind is rebuilt.
func Open(ctx context.Context, folder string, options Options) (*Library, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("open library: %w", err)
	}
	options = options.withDefaults()
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("open library: %w", err)
	}
	decoder := options.Decoder
	if decoder == nil {
		if decoder, err = pixels.NewDecoder(pixels.Options{MaxPixels: pixels.MaximumPixels}); err != nil {
			return nil, fmt.Errorf("open library: %w", err)
		}
	}
	l := newLibrary(absolute, options, decoder)
	l.background = newBackground()
	if options.ReadOnly {
		err = l.openReader(ctx)
	} else {
		err = l.openWriter(ctx)
	}
	if err != nil {
		l.background.stop()
		return nil, explain(errors.Join(err, l.closeDecoder()), absolute)
	}
	return l, nil
}

// newLibrary makes a library that is not open yet.
func newLibrary(folder string, options Options, decoder *pixels.Decoder) *Library {
	l := &Library{
		decoder: decoder,
		folder:  folder, options: options, fsys: options.FileSystem, logger: options.Logger,
		appenders: map[appenderKey]*segmentAppender{},
	}
	l.readOnly.Store(options.ReadOnly)
	return l
}

// Decoder gives the decoder that the library reads originals with. Everything that
// decodes pictures beside it should use it, or one that is limited further, so that
// one bound on memory holds for all. It is good until the library is closed.
func (l *Library) Decoder() *pixels.Decoder { return l.decoder }

// closeDecoder closes the library's own decoder.
func (l *Library) closeDecoder() error {
	if l.options.Decoder != nil {
		return nil
	}
	return l.decoder.Close()
}

// explain adds a remedy to the errors that a user can do something about.
func explain(err error, folder string) error {
	if hint.Of(err) != "" {
		return err
	}
	switch {
	case errors.Is(err, index.ErrNotLibrary):
		return hint.Wrap(fmt.Errorf("open library %s: %w", folder, err), "make one with: mekiki index FOLDER")
	case errors.Is(err, index.ErrVersion):
		return hint.Wrap(fmt.Errorf("open library %s: %w", folder, err), "use the version of mekiki that wrote it, or a newer one")
	case errors.Is(err, fs.ErrPermission):
		return hint.Wrap(fmt.Errorf("open library %s: %w", folder, err), "give yourself the right to read and write the folder, or choose another with --library")
	case diskspace.IsFull(err):
		return hint.Wrap(fmt.Errorf("open library %s: %w", folder, err), "make room on the disk: nothing is lost")
	}
	return fmt.Errorf("open library %s: %w", folder, err)
}

func (l *Library) openWriter(ctx context.Context) (err error) {
	if err := l.prepareFolder(); err != nil {
		return err
	}
	if l.lock, err = takeLock(l.fsys, l.folder, l.options.Now()); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.abandon())
		}
	}()
	found, err := loadCatalog(ctx, l.fsys, l.folder)
	if errors.Is(err, index.ErrNotLibrary) {
		if err := createCatalog(l.fsys, l.folder); err != nil {
			return err
		}
		found, err = loadCatalog(ctx, l.fsys, l.folder)
	}
	if err != nil {
		return err
	}
	if l.catalog, err = openCatalog(l.fsys, l.folder, found); err != nil {
		return err
	}
	if found.tail > 0 {
		l.logger.Warn("cut off a commit that a crash left unfinished", "file", logName(found.log), "bytes", found.tail)
	}
	if err := l.start(ctx, found, false); err != nil {
		return err
	}
	return l.tidySegments(found)
}

// prepareFolder makes the library's folder. One that holds other things is
// refused, lest a library is made in somebody's pictures.
func (l *Library) prepareFolder() error {
	entries, err := l.fsys.ReadDir(l.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return l.fsys.MkdirAll(l.folder)
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch entry.Name() {
		case catalogFolder, lockName, holderName, derivedFolder, "spaces", quarantineFolder:
		default:
			if !l.hasCatalog() {
				return hint.Wrap(fmt.Errorf("%w, and the folder is not empty: it holds %s", index.ErrNotLibrary, entry.Name()),
					"choose an empty or missing folder with --library")
			}
		}
	}
	return nil
}

func (l *Library) hasCatalog() bool {
	_, err := l.fsys.Stat(filepath.Join(l.folder, catalogFolder))
	return err == nil
}

func (l *Library) openReader(ctx context.Context) (err error) {
	// The writer may replace files between our reading of names and contents.
	const attempts = 5
	for attempt := range attempts {
		var found *loaded
		if found, err = loadCatalog(ctx, l.fsys, l.folder); err == nil {
			err = l.start(ctx, found, attempt < attempts-1)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// start makes the loaded catalog the current view. When segments are missing
// because compaction has overtaken the reading of the catalog, which is then to be
// read again, the error is fs.ErrNotExist.
func (l *Library) start(ctx context.Context, found *loaded, again bool) error {
	l.lookup = found.lookup
	l.read = catalogEnd{log: found.log, end: found.end}
	l.findings = found.findings
	segments, problems := openSegments(ctx, l.fsys, l.folder, segmentsOf(found.state))
	if again && errors.Is(errors.Join(problems...), fs.ErrNotExist) {
		if behind, err := l.behind(); behind || err != nil {
			return errors.Join(err, fs.ErrNotExist, segments.release())
		}
	}
	for _, finding := range found.findings {
		l.logger.Warn("library is damaged", "file", finding.File, "offset", finding.Offset, "what", finding.Message, "try", finding.Remedy)
	}
	for _, problem := range problems {
		l.logger.Warn("library is damaged", "what", problem)
	}
	derived, err := openDerived(ctx, l, found.state)
	if err != nil {
		return errors.Join(err, segments.release())
	}
	if store, err := l.former.carryVectors(ctx, found.state); err != nil {
		return errors.Join(err, derived.close(), segments.release())
	} else if store != nil {
		derived.vectors = store
	}
	l.derived, l.former = derived, nil
	l.view = newView(found.state, segments, derived)
	if l.options.DeferVectors {
		return nil
	}
	_, err = l.view.nearest(ctx)
	if err == nil {
		err = makeColumns(ctx, found.state.records)
	}
	if err != nil {
		return errors.Join(err, derived.close(), l.view.release())
	}
	return nil
}

// abandon undoes an opening that failed.
func (l *Library) abandon() error {
	var problems []error
	if l.derived != nil {
		problems = append(problems, l.derived.close())
	}
	if l.view != nil {
		problems = append(problems, l.view.release())
	}
	if l.catalog != nil && l.catalog.log != nil {
		problems = append(problems, l.catalog.log.Close())
	}
	return errors.Join(append(problems, giveLock(l.fsys, l.folder, l.lock))...)
}

// Close makes everything durable and gives the lock back. Close snapshots
// before: one that is still open goes on reading, but cannot find words.
func (l *Library) Close() error {
	l.writer.Lock()
	defer l.writer.Unlock()
	l.mutex.Lock()
	if l.closed {
		l.mutex.Unlock()
		return nil
	}
	l.closed = true
	last := l.view
	l.mutex.Unlock()
	l.background.stop()

	gone := l.present()
	if l.derived.vectors != nil && gone == nil {
		l.derived.vectors.saveGrown(last)
	}
	var problems []error
	for _, appender := range l.appenders {
		if appender.current != nil {
			problems = append(problems, appender.drop())
		}
	}
	if gone != nil && l.derived.words != nil {
		problems = append(problems, l.derived.words.Abandon())
	}
	problems = append(problems, l.derived.close())
	if l.catalog != nil {
		if l.failed == nil {
			problems = append(problems, l.catalog.seal(last.state.sequence))
		}
		problems = append(problems, l.catalog.log.Close())
	}
	problems = append(problems, last.release())
	if l.lock != nil && gone == nil {
		problems = append(problems, giveLock(l.fsys, l.folder, l.lock))
	} else if l.lock != nil {
		problems = append(problems, l.lock.Close()) // whoever is written down is another
	}
	problems = append(problems, l.closeDecoder())
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("close library: %w", err)
	}
	return nil
}

// Folder is the library's absolute path.
func (l *Library) Folder() string { return l.folder }

// DerivedFolder is the folder of what can be deleted without losing anything that
// was given to the library. Programs that serve it may keep files of their own in there.
func (l *Library) DerivedFolder() string { return filepath.Join(l.folder, derivedFolder) }

// Findings lists the damage that was met when the library was opened. Records
// that it does not touch are served all the same; [Library.Check] tells all.
func (l *Library) Findings() []index.Finding {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return append([]index.Finding(nil), l.findings...)
}

// current gives the view with a reference, or ErrClosed.
func (l *Library) current() (*view, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.closed {
		return nil, index.ErrClosed
	}
	l.view.retain()
	return l.view, nil
}

// publish makes a view the current one.
func (l *Library) publish(next *view) error {
	l.mutex.Lock()
	old := l.view
	l.view = next
	l.mutex.Unlock()
	return old.release()
}

// addFinding notes damage, once however often it is met.
func (l *Library) addFinding(finding index.Finding) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if slices.ContainsFunc(l.findings, func(f index.Finding) bool { return f.File == finding.File && f.Message == finding.Message }) {
		return
	}
	l.findings = append(l.findings, finding)
}
