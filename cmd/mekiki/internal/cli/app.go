package cli

import (
	"encoding/json"
	"io"
	"log/slog"

	"mekiki/embed/models"
	"mekiki/embed/priority"
	"mekiki/internal/folders"
	"mekiki/internal/progress"
)

// App is what every verb shares: the standard streams and the global flags.
type App struct {
	In     io.Reader
	Out    io.Writer
	Stderr io.Writer
	// Interrupts are for parts of the work that take Ctrl-C for themselves; nil where nobody sends any.
	Interrupts *Interrupts
	turns      *priority.Turns
	sums       *models.Sums

	AsJSON  bool
	Quiet   bool
	Verbose bool
	Cache   string
	Library string
	// Cluster is the file of settings of a library on a cluster; "" for one on a disk.
	Cluster   string
	Model     string
	Answers   string
	Runtime   string
	Provider  string
	Threads   int
	Precision string
	// Fast asks for a model whose vision encoder merges tokens.
	Fast bool
	// Ann is how vectors are found: one of vector.Methods.
	Ann string
	// PrecisionGiven reports whether --precision was given, or set in the settings.
	PrecisionGiven func() bool
	// FastGiven reports whether --fast was given, or set in the settings.
	FastGiven func() bool
	// ModelGiven reports whether --model was given, or set in the settings.
	ModelGiven func() bool

	// TokenCache is how many bytes of image tokens a searcher keeps in memory; 0
	// means its own default.
	TokenCache int64
	// CleanTexts has the model prepare texts as LAVIS does; see --clean.
	CleanTexts bool
}

// Log returns a logger to standard error: warnings, or everything with --verbose.
func (a *App) Log() *slog.Logger {
	level := slog.LevelWarn
	if a.Verbose {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	if a.AsJSON {
		return slog.New(slog.NewJSONHandler(a.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(a.Stderr, options))
}

// Progress returns a reporter to standard error in the style that the flags and
// the stream call for.
func (a *App) Progress() *progress.Reporter {
	style := progress.StyleFor(a.Stderr)
	switch {
	case a.Quiet:
		style = progress.Quiet
	case a.AsJSON:
		style = progress.JSON
	}
	return progress.New(a.Stderr, style)
}

// PrintJSON writes value to standard output, indented.
func (a *App) PrintJSON(value any) error {
	encoder := json.NewEncoder(a.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// CacheFolder is --cache, else the platform's.
func (a *App) CacheFolder() (string, error) {
	if a.Cache != "" {
		return a.Cache, nil
	}
	return folders.Cache()
}

// LibraryFolder is --library, else the platform's.
func (a *App) LibraryFolder() (string, error) {
	if a.Library != "" {
		return a.Library, nil
	}
	return folders.Library()
}
