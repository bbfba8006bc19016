package ingest

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"mekiki/embed/pixels"
	"mekiki/index/ingest/rules"
	"mekiki/index/metadata"
)

// changedFiles feeds what was changed: files, and folders with all in them. The
// walk rules decide as they do for a whole walk.
func (r *run) changedFiles(changed map[string]bool) source {
	return func(ctx context.Context, found chan<- fileEntry) (*walked, error) {
		w := r.newWalker(found)
		changed = withDescribed(changed)
		for _, root := range r.roots {
			for path := range changed {
				if path != root && !inside(path, root) {
					continue
				}
				if _, err := os.Stat(root); err != nil {
					r.options.Logger.Warn("a path cannot be read; what the library knows of it is kept", "error", err)
					break
				}
				if err := w.change(ctx, root, path, changed[path]); err != nil {
					return w.walked, err
				}
			}
		}
		return w.walked, nil
	}
}

// change looks at one path in a root, which may be gone.
func (w *walker) change(ctx context.Context, root, path string, gone bool) error {
	relative, err := filepath.Rel(root, path)
	switch {
	case err != nil:
		return nil
	case relative == ".":
		if err := w.root(ctx, root); err != nil && ctx.Err() == nil {
			w.run.options.Logger.Warn("a path cannot be read", "error", err)
		}
		return ctx.Err()
	}
	if gone {
		w.walked.folders[filepath.Dir(path)] = true // where it is missed
		w.walked.deleted[path] = true
	}
	return w.descend(ctx, root, filepath.ToSlash(relative))
}

// descend goes from the root to one path, by the rules that hold on the way.
func (w *walker) descend(ctx context.Context, root, relative string) error {
	elements := strings.Split(relative, "/")
	w.readIgnoreFile(root, "")
	for depth := range elements[:len(elements)-1] {
		above := strings.Join(elements[:depth+1], "/")
		folder := filepath.Join(root, filepath.FromSlash(above))
		hidden := strings.HasPrefix(elements[depth], ".") && !w.run.options.Hidden
		if hidden || w.excludes(root, above, true) || !w.run.options.SystemFolders && exists(filepath.Join(folder, rules.NoMediaName)) {
			return nil
		}
		w.readIgnoreFile(root, above)
	}
	if limit := w.run.options.MaxDepth; limit > 0 && len(elements) > limit {
		return nil
	}
	full := filepath.Join(root, filepath.FromSlash(relative))
	stat, err := os.Lstat(full)
	if err != nil {
		return nil // gone: forget will see to it
	}
	defer w.enterAbove(root, full)()
	return w.entry(ctx, root, relative, fs.FileInfoToDirEntry(stat), len(elements))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// isRule reports whether a file says what of its folder is left out.
func isRule(name string) bool { return name == rules.IgnoreName || name == rules.NoMediaName }

// withDescribed adds to changed paths what else is to be looked at for them: the folders
// whose rules changed, and what lies beside files that may describe it.
func withDescribed(changed map[string]bool) map[string]bool {
	all, listed := maps.Clone(changed), map[string]bool{}
	look := func(path string) {
		if _, known := all[path]; !known {
			all[path] = false
		}
	}
	for path := range changed {
		folder, name := filepath.Dir(path), filepath.Base(path)
		if isRule(name) {
			look(folder)
		}
		if !metadata.IsSidecarName(name) || listed[folder] {
			continue
		}
		listed[folder] = true
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if image := filepath.Join(folder, entry.Name()); pixels.HasImageName(entry.Name()) {
				look(image)
			}
		}
	}
	return all
}

// enterAbove marks the folders above a path as entered until the returned function
// is called, lest a link below leads back to them.
func (w *walker) enterAbove(root, path string) (leave func()) {
	if !w.run.options.FollowSymlinks {
		return func() {}
	}
	var marked []string
	for path != root && filepath.Dir(path) != path {
		path = filepath.Dir(path)
		if real, err := filepath.EvalSymlinks(path); err == nil && !w.walked.entered[real] {
			w.walked.entered[real] = true
			marked = append(marked, real)
		}
	}
	return func() {
		for _, real := range marked {
			delete(w.walked.entered, real)
		}
	}
}
