package xmp

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/embed/pixels"
	"mekiki/index/metadata"
)

// ErrGone says that a picture is not where the library knows it.
var ErrGone = errors.New("the picture is gone, or its drive is away")

// folder is what lies beside pictures.
type folder struct {
	names  []string
	finder *metadata.Finder
}

func readFolder(path string) (*folder, error) {
	directory, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, err
	}
	defer directory.Close()
	names, err := directory.Readdirnames(maximumNames)
	if err != nil && len(names) == 0 {
		return nil, ErrGone // an empty folder, such as where a drive was
	}
	slices.Sort(names)
	return &folder{names: names, finder: metadata.NewFinder(names)}, nil
}

// sidecarOf gives the name of the sidecar that a picture has or is to have: what exists is kept to. IMG_1.xmp may be about
// several pictures called IMG_1; it is then the raw file's, as Adobe's programs have it, and the others get their own.
func (f *folder) sidecarOf(picture string) string {
	own := picture + ".xmp"
	for _, name := range f.finder.Of(picture) {
		if !strings.EqualFold(filepath.Ext(name), ".xmp") {
			continue
		}
		if strings.EqualFold(name, own) || f.isSharedBy(picture) {
			return name
		}
	}
	return own
}

// isSharedBy reports whether the sidecar of a picture's name without its extension is that picture's.
func (f *folder) isSharedBy(picture string) bool {
	stem := strings.TrimSuffix(picture, filepath.Ext(picture))
	var raws, others []string
	for _, name := range f.names {
		if !strings.EqualFold(strings.TrimSuffix(name, filepath.Ext(name)), stem) || !pixels.HasImageName(name) {
			continue
		}
		if isRaw(name) {
			raws = append(raws, name)
		} else {
			others = append(others, name)
		}
	}
	if len(raws) > 0 {
		return len(raws) == 1 && raws[0] == picture
	}
	return len(others) == 1 && others[0] == picture
}

func isRaw(name string) bool {
	return slices.Contains(pixels.RAW.Aliases(), strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), "."))
}

// folders remembers the last folders that were looked at.
type folders struct {
	known map[string]*folder
	order []string
}

func (f *folders) of(path string) (*folder, error) {
	if known, ok := f.known[path]; ok {
		return known, nil
	}
	read, err := readFolder(path)
	if err != nil {
		return nil, fmt.Errorf("look into %s: %w", path, err)
	}
	if f.known == nil {
		f.known = map[string]*folder{}
	}
	if len(f.order) == openFolders {
		delete(f.known, f.order[0])
		f.order = f.order[1:]
	}
	f.known[path], f.order = read, append(f.order, path)
	return read, nil
}
