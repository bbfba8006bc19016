package ingest

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ignoreName is the file that holds patterns of what to leave out, as git's
// .gitignore does (gitignore(5)).
const ignoreName = ".mekikiignore"

// Bounds of an ignore file.
const (
	maximumIgnoreBytes = 1 << 20
	maximumPatterns    = 10_000
)

// pattern is one line of an ignore file.
type pattern struct {
	// domain is the folder of the file below the root, with a slash at its end, or
	// "" for the root; glob is about the path below it.
	domain, glob string
	// takes says that it takes in what a pattern before it leaves out; folders
	// that it is only about folders.
	takes, folders bool
}

// parsePattern reads a line; false for one that says nothing.
func parsePattern(line, domain string) (pattern, bool) {
	line = strings.TrimSuffix(line, "\r")
	if strings.HasPrefix(line, "#") {
		return pattern{}, false
	}
	if trimmed := strings.TrimRight(line, " "); strings.HasSuffix(trimmed, `\`) && trimmed != line {
		line = trimmed + " " // an escaped blank
	} else {
		line = trimmed
	}
	p := pattern{domain: domain}
	line, p.takes = strings.CutPrefix(line, "!")
	line, p.folders = strings.CutSuffix(line, "/")
	if strings.HasSuffix(line, "/**") {
		line += "/*" // all that is in the folder, and not the folder
	}
	p.glob = strings.ReplaceAll(line, "[!", "[^")
	return p, line != "" && checkGlob(p.glob) == nil
}

// matches reports whether the pattern is about a path below the root.
func (p pattern) matches(relative string, folder bool) bool {
	below, inside := strings.CutPrefix(relative, p.domain)
	return inside && (folder || !p.folders) && matchGlob(p.glob, below)
}

// ignoring is what the ignore files of a folder and those above it say, the root's
// first.
type ignoring struct{ patterns []pattern }

// excludes reports whether the last pattern that is about a path leaves it out.
func (i *ignoring) excludes(relative string, folder bool) bool {
	if i == nil {
		return false
	}
	for at := len(i.patterns) - 1; at >= 0; at-- {
		if i.patterns[at].matches(relative, folder) {
			return !i.patterns[at].takes
		}
	}
	return false
}

// readIgnoreFile reads what a folder's ignore file says; it adds to what those above
// say.
func (w *walker) readIgnoreFile(root, relative string) {
	folder := filepath.Join(root, filepath.FromSlash(relative))
	var rules *ignoring
	if relative != "" {
		rules = w.rules[filepath.Dir(folder)]
	}
	w.rules[folder] = rules
	file, err := openToRead(filepath.Join(folder, ignoreName))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var own []pattern
	if err == nil {
		own, err = readPatterns(file, relative)
		err = errors.Join(err, file.Close())
	}
	if err != nil && w.found != nil {
		w.run.options.Logger.Warn("an ignore file cannot be read", "file", filepath.Join(folder, ignoreName), "error", err)
	}
	if len(own) > 0 {
		w.rules[folder] = rules.with(own)
	}
}

func (i *ignoring) with(own []pattern) *ignoring {
	if i == nil {
		return &ignoring{own}
	}
	return &ignoring{append(i.patterns[:len(i.patterns):len(i.patterns)], own...)}
}

// readPatterns reads the patterns of the ignore file of a folder below the root.
func readPatterns(file *os.File, relative string) ([]pattern, error) {
	stat, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() || stat.Size() > maximumIgnoreBytes {
		return nil, errors.New("it is not a file of at most a mebibyte")
	}
	domain := ""
	if relative != "" {
		domain = relative + "/"
	}
	return parsePatterns(io.LimitReader(file, maximumIgnoreBytes), domain)
}

func parsePatterns(source io.Reader, domain string) (patterns []pattern, err error) {
	lines := bufio.NewScanner(source)
	for first := true; lines.Scan() && len(patterns) < maximumPatterns; first = false {
		line := lines.Text()
		if first {
			line = strings.TrimPrefix(line, "\uFEFF")
		}
		if p, says := parsePattern(line, domain); says {
			patterns = append(patterns, p)
		}
	}
	return patterns, lines.Err()
}
