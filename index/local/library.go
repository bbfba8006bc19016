package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/index/local/maintain"
	"mekiki/index/local/nearest"
	"mekiki/index/local/segment"
	"mekiki/index/local/writerlock"
	"mekiki/index/vector"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
	"mekiki/internal/vfs"
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
	// Method is how vectors are found; empty means vector.Automatic.
	Method vector.Method

	// keptVectors is the number of vectors up to which an index keeps them in
	// full precision, and approximateFrom that from which it is not searched exactly; zero means
	// the constants.
	keptVectors, approximateFrom int
	// openedBefore is the number of records beyond which the keyword index is opened in the
	// background; zero means the constant.
	openedBefore int
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
		o.SegmentBytes = segment.DefaultLimit
	}
	if o.keptVectors == 0 {
		o.keptVectors = nearest.KeptVectors
	}
	if o.approximateFrom == 0 {
		o.approximateFrom = vector.ApproximateFrom
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
	if err := (vector.Options{Width: 1, Method: o.Method}).Validate(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// MethodOf says by what the vectors of a space's records of a kind are found when there are
// so many: vector.Exact, HNSW, IVF or Coder.
func (l *Library) MethodOf(space embed.Space, kind index.Kind, records int) vector.Method {
	return l.host.MethodOf(space, kind, records)
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
	background *nearest.Background
	host       *nearest.Host // of the vector stores
	lock       io.Closer
	lookup     *catalog.Lookup
	derived    *derived
	read       catalogEnd
	// former is what a reader showed before it reads everything anew.
	former *nearest.View
	// readOnly says that it is open for reading, until it is promoted.
	readOnly atomic.Bool

	// writer is held by the goroutine that commits.
	writer    sync.Mutex
	catalog   *catalog.Writer
	appenders map[segment.Owner]*segment.Appender
	failed    error

	queueMutex sync.Mutex
	queue      []*writeRequest

	// mutex guards what follows; it is held for moments only.
	mutex    sync.Mutex
	view     *view
	closed   bool
	findings []index.Finding
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
	l := newLibrary(absolute, options, decoder, nearest.NewBackground())
	if options.ReadOnly {
		err = l.openReader(ctx)
	} else {
		err = l.openWriter(ctx)
	}
	if err != nil {
		l.background.Stop()
		return nil, explain(errors.Join(err, l.closeDecoder()), absolute)
	}
	return l, nil
}

// newLibrary makes a library that is not open yet.
func newLibrary(folder string, options Options, decoder *pixels.Decoder, background *nearest.Background) *Library {
	l := &Library{
		decoder: decoder, background: background,
		folder: folder, options: options, fsys: options.FileSystem, logger: options.Logger,
		appenders: map[segment.Owner]*segment.Appender{},
	}
	l.readOnly.Store(options.ReadOnly)
	l.host = &nearest.Host{
		Fsys: l.fsys, Folder: l.folder, Logger: l.logger, Now: options.Now, KeptVectors: options.keptVectors, ApproximateFrom: options.approximateFrom, Method: options.Method,
		BuiltAtOnce: nearest.BuiltAtOnce,
		Background:  background, ReadOnly: l.readOnly.Load, Present: l.present, AddFinding: l.addFinding, Current: l.currentNearest,
		NewIndex: nearest.NewIndex, FewChanges: nearest.ReadAtOnce,
	}
	return l
}

// currentNearest is current for the vector stores.
func (l *Library) currentNearest() (*nearest.View, func() error, error) {
	v, err := l.current()
	if err != nil {
		return nil, nil, err
	}
	return v.nearest, v.release, nil
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
	case errors.Is(err, syscall.EROFS):
		return hint.Wrap(fmt.Errorf("open library %s: %w", folder, err), "search and serve it as it is; to change it, have its disk mounted for writing, or choose another with --library")
	case diskspace.IsFull(err):
		return hint.Wrap(fmt.Errorf("open library %s: %w", folder, err), "make room on the disk: nothing is lost")
	}
	return fmt.Errorf("open library %s: %w", folder, err)
}

func (l *Library) openWriter(ctx context.Context) (err error) {
	if err := l.prepareFolder(); err != nil {
		return err
	}
	if l.lock, err = writerlock.Take(l.fsys, l.folder, l.options.Now()); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.abandon())
		}
	}()
	found, err := catalog.Load(ctx, l.fsys, l.folder)
	if errors.Is(err, index.ErrNotLibrary) {
		if err := catalog.Create(l.fsys, l.folder); err != nil {
			return err
		}
		found, err = catalog.Load(ctx, l.fsys, l.folder)
	}
	if err != nil {
		return err
	}
	if l.catalog, err = catalog.OpenWriter(l.fsys, l.folder, found); err != nil {
		return err
	}
	if found.Tail > 0 {
		l.logger.Warn("cut off a commit that a crash left unfinished", "file", catalog.LogName(found.Log), "bytes", found.Tail)
	}
	if err := l.start(ctx, found, false); err != nil {
		return err
	}
	return l.removeOrphans(found)
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
		case catalog.Folder, writerlock.FileName, writerlock.HolderName, catalog.DerivedFolder, segment.Folder, catalog.QuarantineFolder:
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
	_, err := l.fsys.Stat(filepath.Join(l.folder, catalog.Folder))
	return err == nil
}

func (l *Library) openReader(ctx context.Context) (err error) {
	// The writer may replace files between our reading of names and contents.
	const attempts = 5
	for attempt := range attempts {
		var found *catalog.Loaded
		if found, err = catalog.Load(ctx, l.fsys, l.folder); err == nil {
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
func (l *Library) start(ctx context.Context, found *catalog.Loaded, again bool) error {
	l.lookup = found.Lookup
	l.read = catalogEnd{log: found.Log, end: found.End}
	l.findings = found.Findings
	segments, problems := segment.Open(ctx, l.fsys, l.folder, catalog.Segments(found.State))
	if again && errors.Is(errors.Join(problems...), fs.ErrNotExist) {
		if behind, err := l.isBehind(); behind || err != nil {
			return errors.Join(err, fs.ErrNotExist, segments.Release())
		}
	}
	for _, finding := range found.Findings {
		l.logger.Warn("library is damaged", "file", finding.File, "offset", finding.Offset, "what", finding.Message, "try", finding.Remedy)
	}
	for _, problem := range problems {
		l.logger.Warn("library is damaged", "what", problem)
	}
	derived, err := openDerived(ctx, l, found.State)
	if err != nil {
		return errors.Join(err, segments.Release())
	}
	if store, err := l.former.ReuseVectors(ctx, found.State); err != nil {
		return errors.Join(err, derived.keywordStore.Close(), segments.Release())
	} else if store != nil {
		derived.vectors = store
	}
	l.derived, l.former = derived, nil
	l.view = newView(found.State, segments, derived)
	defer l.lookup.Build()
	if l.options.DeferVectors {
		return nil
	}
	made := l.view.columns
	// A filter that is asked for before makes those that it needs.
	l.background.Run(func(ctx context.Context) { _ = made.MakeAll(ctx) }) // an error is that of a library that is closed
	if _, err = l.view.nearest.Indexes(ctx); err != nil {
		return errors.Join(err, derived.keywordStore.Close(), l.view.release())
	}
	return nil
}

// abandon undoes an opening that failed.
func (l *Library) abandon() error {
	var problems []error
	if l.derived != nil {
		problems = append(problems, l.derived.keywordStore.Close())
	}
	if l.view != nil {
		problems = append(problems, l.view.release())
	}
	if l.catalog != nil && l.catalog.Log != nil {
		problems = append(problems, l.catalog.Log.Close())
	}
	return errors.Join(append(problems, writerlock.Give(l.fsys, l.folder, l.lock))...)
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
	l.background.Stop()

	gone := l.present()
	if l.derived.vectors != nil && gone == nil {
		l.derived.vectors.SaveGrown(last.nearest)
	}
	var problems []error
	for _, appender := range l.appenders {
		if appender.Current != nil {
			problems = append(problems, appender.Drop())
		}
	}
	if gone != nil && l.derived.keywordStore != nil {
		problems = append(problems, l.derived.keywordStore.Abandon())
	}
	problems = append(problems, l.derived.keywordStore.Close())
	if l.catalog != nil {
		if l.failed == nil {
			problems = append(problems, l.catalog.Seal(last.state.Sequence))
		}
		problems = append(problems, l.catalog.Log.Close())
	}
	problems = append(problems, last.release())
	if l.lock != nil && gone == nil {
		problems = append(problems, writerlock.Give(l.fsys, l.folder, l.lock))
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
func (l *Library) DerivedFolder() string { return filepath.Join(l.folder, catalog.DerivedFolder) }

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

// swap makes a view the current one.
func (l *Library) swap(next *view) error {
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

// Backup writes a consistent copy of the library's truth to w, as one
// checksummed tar archive; writing and reading may go on meanwhile.
func (l *Library) Backup(ctx context.Context, w io.Writer) error {
	view, err := l.current()
	if err == nil {
		defer view.release()
		err = maintain.Backup(ctx, w, view.state, view.segments)
	}
	if err != nil {
		return fmt.Errorf("back up library: %w", err)
	}
	return nil
}
