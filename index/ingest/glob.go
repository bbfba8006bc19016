package ingest

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// checkGlob refuses a glob that can never match.
func checkGlob(glob string) error {
	for _, element := range strings.Split(glob, "/") {
		if _, err := path.Match(element, ""); err != nil {
			return fmt.Errorf("glob %q: %w", glob, err)
		}
	}
	if glob == "" {
		return fmt.Errorf("a glob is empty")
	}
	return nil
}

// matchGlob matches a glob against a slash-separated relative path: "**"
// stands for any number of folders, and a glob without a slash is about names.
func matchGlob(glob, name string) bool {
	if !strings.Contains(glob, "/") {
		matched, err := path.Match(glob, path.Base(name))
		return err == nil && matched
	}
	return matchElements(strings.Split(strings.Trim(glob, "/"), "/"), strings.Split(name, "/"))
}

func matchElements(globs, names []string) bool {
	for len(globs) > 0 {
		if globs[0] == "**" {
			for skip := range len(names) + 1 {
				if matchElements(globs[1:], names[skip:]) {
					return true
				}
			}
			return false
		}
		if len(names) == 0 {
			return false
		}
		if matched, err := path.Match(globs[0], names[0]); err != nil || !matched {
			return false
		}
		globs, names = globs[1:], names[1:]
	}
	return len(names) == 0
}

func matchAny(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool { return matchGlob(glob, name) })
}

// isImageName tells by its extension whether a file may be an image. What it
// is, the decoder tells by its content.
func isImageName(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif":
		return true
	}
	return false
}
