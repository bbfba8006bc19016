package rules

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
)

// IgnoreName is the file that holds patterns of what to leave out, as git's
// .gitignore does (gitignore(5)).
const IgnoreName = ".mekikiignore"

// Pattern is one line of an ignore file.
type Pattern struct {
	// domain is the folder of the file below the root, with a slash at its end, or
	// "" for the root; glob is about the path below it.
	domain, glob string
	// takes says that it takes in what a pattern before it leaves out; folders
	// that it is only about folders.
	takes, folders bool
}

// parsePattern reads a line; false for one that says nothing.
func parsePattern(line, domain string) (Pattern, bool) {
	line = strings.TrimSuffix(line, "\r")
	if strings.HasPrefix(line, "#") {
		return Pattern{}, false
	}
	if trimmed := strings.TrimRight(line, " "); strings.HasSuffix(trimmed, `\`) && trimmed != line {
		line = trimmed + " " // an escaped blank
	} else {
		line = trimmed
	}
	p := Pattern{domain: domain}
	line, p.takes = strings.CutPrefix(line, "!")
	line, p.folders = strings.CutSuffix(line, "/")
	if strings.HasSuffix(line, "/**") {
		line += "/*" // all that is in the folder, and not the folder
	}
	p.glob = strings.ReplaceAll(line, "[!", "[^")
	return p, line != "" && checkGlob(p.glob) == nil
}

// matches reports whether the pattern is about a path below the root.
func (p Pattern) matches(relative string, folder bool) bool {
	below, inside := strings.CutPrefix(relative, p.domain)
	return inside && (folder || !p.folders) && MatchGlob(p.glob, below)
}

// Ignoring is what the ignore files of a folder and those above it say, the root's
// first.
type Ignoring struct{ Patterns []Pattern }

// Excludes reports whether the last pattern that is about a path leaves it out.
func (i *Ignoring) Excludes(relative string, folder bool) bool {
	if i == nil {
		return false
	}
	for at := len(i.Patterns) - 1; at >= 0; at-- {
		if i.Patterns[at].matches(relative, folder) {
			return !i.Patterns[at].takes
		}
	}
	return false
}

// With adds the patterns of a folder to those above it.
func (i *Ignoring) With(own []Pattern) *Ignoring {
	if i == nil {
		return &Ignoring{own}
	}
	return &Ignoring{append(i.Patterns[:len(i.Patterns):len(i.Patterns)], own...)}
}

// ReadPatterns reads the patterns of the ignore file of a folder below the root.
func ReadPatterns(file *os.File, relative string) ([]Pattern, error) {
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
	return ParsePatterns(io.LimitReader(file, maximumIgnoreBytes), domain)
}

// ParsePatterns reads the patterns of an ignore file of a folder, which is below the root.
func ParsePatterns(source io.Reader, domain string) (patterns []Pattern, err error) {
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
