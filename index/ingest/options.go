package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest/captioning"
	"mekiki/index/ingest/drives"
	"mekiki/index/ingest/report"
	"mekiki/index/ingest/rules"
	"mekiki/internal/sorted"
)

// Options say what to bring in and how.
type Options struct {
	// Paths are the folders and files to index.
	Paths []string
	// Names says what files are called where their path does not: what uploads
	// came with, by path.
	Names map[string]string
	// Stored says by which paths records name files that lie elsewhere for good, by their paths here: what was uploaded is read from
	// a temporary file.
	Stored map[string]string
	// Decoded are pictures that are decoded already, by the hash of their file: what
	// is here is not decoded again. Nobody may change them while the run lasts.
	Decoded map[index.Hash]*pixels.Image
	// Prepared is what is known of pictures from elsewhere, by the hash of their file:
	// their record but for files and metadata, and their vectors in the engine's space.
	// They are neither decoded nor shown to the model.
	Prepared map[index.Hash]index.Put
	// Include and Exclude are globs on the path relative to the walked folder
	// ("*.jpg", "2009/**/raw"), or on the whole path where they begin at the root of
	// the file system; a glob without a slash within matches the name. What is
	// excluded is not entered. Including names files whatever their extension.
	Include, Exclude []string
	// Hidden takes in files and folders whose name begins with a dot.
	Hidden bool
	// SystemFolders takes in what [SystemFolders] lists, and folders that hold a
	// file named .nomedia.
	SystemFolders bool
	// NoExtension looks at the first bytes of files without an extension.
	NoExtension bool
	// Reread reads again what every picture says about itself, and what the files
	// beside it say.
	Reread bool
	// Again brings in pictures too that a person removed for good.
	Again bool
	// RetryFailed reads again files that failed before, though they are as they were.
	RetryFailed bool
	// FollowSymlinks goes through links to files and folders; loops are
	// recognised.
	FollowSymlinks bool
	// MaxDepth limits how deep below each path to go: 1 for its own files
	// only; zero means no limit.
	MaxDepth int
	// Shard takes in the files of one shard alone; others are left to other machines.
	Shard rules.Shard
	// Captions says how many captions to keep for an image; zero means one,
	// negative none.
	Captions int
	// CaptionsLater brings all files in first and writes captions afterwards, of the pictures below Paths that have none,
	// also of runs before this one. Where no image tokens are kept, and for [Fill], they are written at once all the same.
	CaptionsLater bool
	// LastUsed says when contents were looked at last, where that is known: of captions that come later, theirs come first.
	LastUsed map[index.Hash]time.Time
	// CaptionCandidates is how many captions to write for each image, of which
	// those that match it best are kept; zero means three.
	CaptionCandidates int
	// Source says who writes captions; "" is CaptionsITG. The others need a CaptionWriter.
	CaptionSource captioning.Source
	// Writer writes captions beside the engine.
	CaptionWriter captioning.Writer
	// Packing says how image tokens are kept; zero means int8.
	Packing embed.Packing
	// NoTokens keeps no image tokens: less room, slower reranking.
	NoTokens bool
	// ImageSize is the side in pixels that the model reads. Images are brought
	// to it as soon as they are decoded, which keeps memory low; zero leaves
	// it to the model.
	ImageSize int
	// MaxPixels is the width times height of the largest picture that is read, at
	// most [pixels.MaximumPixels]; zero means [pixels.DefaultMaxPixels].
	MaxPixels int64
	// NewSpace adds the engine's space to a library that has another one.
	NewSpace bool
	// BatchSize is the number of images in one durable commit, and BatchDelay
	// the longest that one waits for it; zero means 64, and five seconds.
	BatchSize  int
	BatchDelay time.Duration
	// ModelBatch is the number of images that go through the model at once;
	// zero means 8.
	ModelBatch int
	// Workers is the number of files decoded at once; zero means one for each
	// processor, four at most.
	Workers int
	// Watch goes on following changes until the context ends.
	Watch bool
	// Afterwards, which may be nil, is called while watching when a pass over the files has ended and its captions are written, one call
	// at a time: for further work on what came in. An error that is not the library's is logged, and the next pass calls it again.
	Afterwards func(ctx context.Context) error
	// PollInterval is how often to look through the folders while watching,
	// where the system cannot tell of changes; zero means 30 seconds.
	PollInterval time.Duration
	// PollOnly does not ask the system to tell of changes.
	PollOnly bool
	// Progress is called a few times a second, and once at the end, from one
	// goroutine at a time.
	Progress func(report.Progress)
	// Logger receives warnings; nil is silent.
	Logger *slog.Logger

	// settle is how long a change has to rest before it is looked at, and
	// settleMost how long it may have to wait for others to rest; zero means
	// the constants.
	settle, settleMost time.Duration
	// device gives the device that a folder is on; nil asks the system.
	device func(folder string) (uint64, bool)
}

// Validate reports every option that is out of range.
func (o Options) Validate() error {
	var problems []error
	for _, glob := range append(append([]string(nil), o.Include...), o.Exclude...) {
		if err := rules.CheckGlobOfOption(glob); err != nil {
			problems = append(problems, err)
		}
	}
	for name, value := range sorted.All(map[string]int{
		"maximum depth": o.MaxDepth, "caption candidates": o.CaptionCandidates, "image size": o.ImageSize,
		"batch size": o.BatchSize, "model batch": o.ModelBatch, "workers": o.Workers,
	}) {
		if value < 0 {
			problems = append(problems, fmt.Errorf("%s %d is negative", name, value))
		}
	}
	if o.MaxPixels < 0 || o.MaxPixels > pixels.MaximumPixels {
		problems = append(problems, fmt.Errorf("%d pixels are out of range, which ends at %d", o.MaxPixels, int64(pixels.MaximumPixels)))
	}
	if o.Packing != 0 && o.Packing != embed.PackInt8 && o.Packing != embed.PackInt4 {
		problems = append(problems, fmt.Errorf("unknown %v", o.Packing))
	}
	for name, value := range sorted.All(map[string]time.Duration{"batch delay": o.BatchDelay, "poll interval": o.PollInterval}) {
		if value < 0 {
			problems = append(problems, fmt.Errorf("%s %v is negative", name, value))
		}
	}
	problems = append(problems, captioning.Check(o.CaptionSource, o.CaptionWriter))
	return errors.Join(problems...)
}

func (o Options) ready() (Options, error) {
	if err := o.Validate(); err != nil {
		return o, err
	}
	o.Include, o.Exclude = plainGlobs(o.Include), plainGlobs(o.Exclude)
	setDefault(&o.CaptionCandidates, captioning.DefaultCandidates)
	setDefault(&o.Packing, embed.PackInt8)
	setDefault(&o.BatchSize, 64)
	setDefault(&o.BatchDelay, 5*time.Second)
	setDefault(&o.ModelBatch, 8)
	setDefault(&o.Workers, min(4, runtime.GOMAXPROCS(0)))
	setDefault(&o.PollInterval, 30*time.Second)
	setDefault(&o.Captions, 1)
	setDefault(&o.MaxPixels, pixels.DefaultMaxPixels)
	setDefault(&o.settle, settleDelay)
	setDefault(&o.settleMost, settleLimit)
	if o.device == nil {
		o.device = drives.DeviceOf
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func plainGlobs(globs []string) []string {
	plain := make([]string, len(globs))
	for i, glob := range globs {
		plain[i] = rules.PlainGlob(glob)
	}
	return plain
}

func setDefault[T comparable](value *T, standard T) {
	var zero T
	if *value == zero {
		*value = standard
	}
}
