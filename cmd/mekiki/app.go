package main

import (
	"encoding/json"
	"io"
	"log/slog"

	"mekiki/internal/folders"
	"mekiki/internal/progress"
)

// app is what every verb shares: the standard streams and the global flags.
type app struct {
	in     io.Reader
	out    io.Writer
	stderr io.Writer

	asJSON    bool
	quiet     bool
	verbose   bool
	cache     string
	library   string
	model     string
	runtime   string
	provider  string
	threads   int
	precision string
	// precisionGiven reports whether --precision was given, or set in the settings.
	precisionGiven func() bool

	// tokenCache is how many bytes of image tokens a searcher keeps in memory; 0
	// means its own default.
	tokenCache int64
	// cleanTexts has the model prepare texts as LAVIS does; see addCleanFlag.
	cleanTexts bool
}

// log returns a logger to standard error: warnings, or everything with --verbose.
func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	if a.asJSON {
		return slog.New(slog.NewJSONHandler(a.stderr, options))
	}
	return slog.New(slog.NewTextHandler(a.stderr, options))
}

// progress returns a reporter to standard error in the style that the flags and
// the stream call for.
func (a *app) progress() *progress.Reporter {
	style := progress.StyleFor(a.stderr)
	switch {
	case a.quiet:
		style = progress.Quiet
	case a.asJSON:
		style = progress.JSON
	}
	return progress.New(a.stderr, style)
}

// printJSON writes value to standard output, indented.
func (a *app) printJSON(value any) error {
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// cacheFolder is --cache, else the platform's.
func (a *app) cacheFolder() (string, error) {
	if a.cache != "" {
		return a.cache, nil
	}
	return folders.Cache()
}

// libraryFolder is --library, else the platform's.
func (a *app) libraryFolder() (string, error) {
	if a.library != "" {
		return a.library, nil
	}
	return folders.Library()
}
