package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mekiki/internal/filelock"
	"mekiki/internal/hint"
)

// spareBytes is what a pull leaves free on the disk.
const spareBytes = 64 << 20

// Pulled is a file that a pull brought or found.
type Pulled struct {
	// Name is the file's name in the folder.
	Name string `json:"name"`
	// Bytes is its size.
	Bytes int64 `json:"bytes"`
	// Digest is the published hash that it was compared with; the zero value when the server publishes none.
	Digest Digest `json:"digest"`
	// Address is where it is from.
	Address string `json:"address"`
	// Repository and Revision are those of the Hugging Face repository, if any; Revision is a commit where known.
	Repository string `json:"repository,omitempty"`
	Revision   string `json:"revision,omitempty"`
}

// Result says what a pull brought.
type Result struct {
	// Name is the folder's name, which suits as the model's name.
	Name string `json:"name"`
	// Dir is the folder with the files; checkpoint.Open takes it.
	Dir string `json:"-"`
	// Requested are the names that were asked for.
	Requested []string `json:"requested"`
	// Files are the files, in the order of the requests.
	Files []Pulled `json:"files"`
	// Time is when the pull was completed.
	Time time.Time `json:"time"`
	// Downloaded counts the bytes of files that were not there before.
	Downloaded int64 `json:"-"`
}

// Bytes is the size of all files.
func (r Result) Bytes() int64 {
	total := int64(0)
	for _, file := range r.Files {
		total += file.Bytes
	}
	return total
}

// Pull brings everything that the names stand for into one folder: names of Models, Hugging Face repositories
// ("owner/name" or "owner/name@revision") or addresses of files. Files that are there and right are kept. When ctx ends,
// what has come is kept for the next pull. Another pull of the same folder, in this process or another, is waited for.
func (c *Client) Pull(ctx context.Context, names ...string) (Result, error) {
	requests, folder, err := parseRequests(*c.options.Environment, names)
	if err != nil {
		return Result{}, fmt.Errorf("pull: %w", err)
	}
	result := Result{Name: folder, Requested: names, Dir: filepath.Join(c.options.Dir, folder)}
	if err := c.pull(ctx, requests, &result); err != nil {
		return Result{}, fmt.Errorf("pull %s: %w", strings.Join(names, " "), err)
	}
	return result, nil
}

func (c *Client) pull(ctx context.Context, requests []request, result *Result) error {
	if err := os.MkdirAll(result.Dir, 0o755); err != nil {
		return err
	}
	lock, err := filelock.Acquire(ctx, filepath.Join(c.options.Dir, "."+result.Name+".lock"), c.options.Waiting)
	if err != nil {
		return err
	}
	defer lock.Close()
	before, _ := ReadResult(result.Dir)
	tracker := &tracker{tell: c.options.Progress}
	tracker.stage(StageResolve, "", 0, 0)
	files, err := c.resolveAll(ctx, requests)
	if err != nil {
		if kept := before.complete(); kept && slices.Equal(before.Requested, result.Requested) && c.mayKeep(ctx, err) {
			c.options.Logger.WarnContext(ctx, "using the files that are here", "reason", err)
			*result = before
			tracker.stage(StageDone, "", before.Bytes(), before.Bytes())
			return nil
		}
		return err
	}
	return c.bring(ctx, files, before, result, tracker)
}

// mayKeep reports whether a failure to ask the servers leaves complete files usable: offline, or without a network.
func (c *Client) mayKeep(ctx context.Context, err error) bool {
	return ctx.Err() == nil && (c.options.Environment.Offline || worthRetrying(err) && !errors.Is(err, ErrNotFound))
}

// resolveAll lists the files of all requests.
func (c *Client) resolveAll(ctx context.Context, requests []request) ([]remoteFile, error) {
	var files []remoteFile
	for _, request := range requests {
		var resolved []remoteFile
		var err error
		if c.options.Environment.Offline {
			if resolved, err = c.cachedSnapshot(request); err != nil {
				err = hint.Wrap(fmt.Errorf("%s: %w", first(request.repository, request.address), err), "unset HF_HUB_OFFLINE to download")
			}
		} else {
			resolved, err = c.resolve(ctx, request)
		}
		if err != nil {
			return nil, err
		}
		for _, file := range resolved {
			if slices.ContainsFunc(files, func(other remoteFile) bool { return strings.EqualFold(other.name, file.name) }) {
				return nil, fmt.Errorf("two of the files are called %s; pull them one after another", file.name)
			}
		}
		files = append(files, resolved...)
	}
	return files, nil
}

// bring makes every file be in the folder, small ones first, and writes the record of the pull.
func (c *Client) bring(ctx context.Context, files []remoteFile, before Result, result *Result, tracker *tracker) error {
	for _, file := range files {
		tracker.all += file.size
	}
	if err := c.checkSpace(files, before, result.Dir); err != nil {
		return err
	}
	done, checked := int64(0), false
	for _, file := range files {
		if !checked && !smallFile(file.name) {
			// Every small file is here: what they say is refused before the first gigabyte.
			if err := c.options.Check(result.Dir); err != nil {
				return err
			}
			checked = true
		}
		tracker.stage(StageDownload, file.name, done, tracker.total())
		downloaded, err := c.bringFile(ctx, &file, before, result.Dir, tracker, done)
		if err != nil {
			return explain(err, file.name)
		}
		if downloaded {
			result.Downloaded += file.size
		}
		done += file.size
		result.Files = append(result.Files, Pulled{
			Name: file.name, Bytes: file.size, Digest: file.digest, Address: file.address,
			Repository: file.repository, Revision: file.revision,
		})
	}
	result.Time = time.Now().UTC()
	if err := writeRecord(filepath.Join(result.Dir, manifestName), result); err != nil {
		return err
	}
	tracker.stage(StageDone, "", done, tracker.total())
	return nil
}

// bringFile makes one file be in the folder and reports whether it had to be downloaded. The file's description is
// brought up to date if the server changed it meanwhile. base is what earlier files took.
func (c *Client) bringFile(ctx context.Context, file *remoteFile, before Result, dir string, tracker *tracker, base int64) (bool, error) {
	final := filepath.Join(dir, file.name)
	if c.present(ctx, *file, before, final, tracker) {
		return false, nil
	}
	if c.options.Environment.Offline {
		return false, link(file.address, final)
	}
	if blob := c.cachedBlob(*file); blob != "" {
		tracker.stage(StageVerify, file.name, 0, file.size)
		err := file.digest.verify(ctx, blob, tracker.add)
		if err == nil {
			c.options.Logger.InfoContext(ctx, "taken from the Hugging Face cache", "file", file.name, "path", blob)
			return false, link(blob, final)
		}
		c.options.Logger.WarnContext(ctx, "the Hugging Face cache holds a damaged file", "path", blob, "reason", err)
	}
	one := &download{client: c, file: *file, final: final, tracker: tracker, base: base}
	err := one.run(ctx)
	*file = one.file
	if err == nil && file.digest.Algorithm == "" {
		c.options.Logger.WarnContext(ctx, "the server publishes no hash; only the size was checked", "file", file.name)
	}
	if errors.Is(err, ErrHash) {
		err = hint.Wrap(err, "the server or something on the way alters the file; try another network or a mirror")
	}
	return true, err
}

// present reports whether the folder has the file already: of the right size, and recorded with this hash by an earlier
// pull or found to have it now.
func (c *Client) present(ctx context.Context, file remoteFile, before Result, path string, tracker *tracker) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != file.size {
		return false
	}
	if file.digest.Algorithm == "" {
		return slices.ContainsFunc(before.Files, func(earlier Pulled) bool {
			return earlier.Name == file.name && earlier.Address == file.address && earlier.Bytes == file.size
		})
	}
	if slices.ContainsFunc(before.Files, func(earlier Pulled) bool {
		return earlier.Name == file.name && earlier.Digest == file.digest
	}) {
		return true
	}
	tracker.stage(StageVerify, file.name, 0, file.size)
	return file.digest.verify(ctx, path, tracker.add) == nil
}

// checkSpace compares what is still to come with the room on the disk.
func (c *Client) checkSpace(files []remoteFile, before Result, dir string) error {
	needed := int64(0)
	for _, file := range files {
		final := filepath.Join(dir, file.name)
		if info, err := os.Stat(final); err == nil && info.Size() == file.size || c.options.Environment.Offline || c.cachedBlob(file) != "" {
			continue
		}
		needed += file.size
		var state partState
		if known, err := readRecord(final+stateSuffix, &state); err == nil && known && state.valid() && state.matches(file) {
			needed -= state.bytes()
		}
	}
	if needed == 0 {
		return nil
	}
	free, err := c.freeSpace(dir)
	if err != nil {
		return err
	}
	if needed > free-spareBytes {
		return hint.Wrap(fmt.Errorf("%w: %s are still to come and %s are free in %s", ErrSpace, gigabytes(needed), gigabytes(free), dir),
			"free some space, or choose another disk with --cache")
	}
	return nil
}

func gigabytes(count int64) string { return fmt.Sprintf("%.2f GB", float64(count)/1e9) }

// ReadResult reads the record of the last complete pull into a folder. The error satisfies errors.Is(err, fs.ErrNotExist)
// when there is none.
func ReadResult(dir string) (Result, error) {
	var result Result
	known, err := readRecord(filepath.Join(dir, manifestName), &result)
	if err == nil && !known {
		err = &fs.PathError{Op: "open", Path: filepath.Join(dir, manifestName), Err: fs.ErrNotExist}
	}
	result.Dir = dir
	return result, err
}

// complete reports whether every file of the record is there in its size.
func (r Result) complete() bool {
	for _, file := range r.Files {
		info, err := os.Stat(filepath.Join(r.Dir, file.Name))
		if !plainName(file.Name) || err != nil || info.Size() != file.Bytes {
			return false
		}
	}
	return len(r.Files) > 0
}

// Verify reads every pulled file again and compares it with the published hashes. All differences are reported.
func (r Result) Verify(ctx context.Context) error {
	var problems []error
	for _, file := range r.Files {
		if !plainName(file.Name) {
			problems = append(problems, fmt.Errorf("the record names a file %q", file.Name))
			continue
		}
		path := filepath.Join(r.Dir, file.Name)
		info, err := os.Stat(path)
		if err == nil && info.Size() != file.Bytes {
			err = fmt.Errorf("%d bytes instead of %d", info.Size(), file.Bytes)
		}
		if err == nil {
			err = file.Digest.verify(ctx, path, func(int64) {})
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", file.Name, err))
		}
	}
	return errors.Join(problems...)
}
