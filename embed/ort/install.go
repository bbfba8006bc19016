package ort

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"mekiki/internal/filelock"
	"mekiki/internal/hint"
)

// receipt is what an installation notes beside the library.
type receipt struct {
	Version   string    `json:"version"`
	Source    string    `json:"source"`
	SHA256    string    `json:"sha256"`
	Bytes     int64     `json:"bytes"`
	Installed time.Time `json:"installed"`
}

const receiptName = "receipt.json"

// folder is where this machine's pinned library is installed.
func (o Options) folder() string {
	return filepath.Join(o.CacheDir, fmt.Sprintf("onnxruntime-%s-%s-%s", Version, runtime.GOOS, runtime.GOARCH))
}

// installed returns the installed library when it is whole: its size is checked,
// its hash only by Verify.
func installed(options Options) (string, bool) {
	row, err := options.releases.here()
	if err != nil {
		return "", false
	}
	path := filepath.Join(options.folder(), row.file)
	note, err := readReceipt(options.folder())
	if err != nil {
		return "", false
	}
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular() && info.Size() == note.Bytes && note.Bytes > 0
}

func readReceipt(folder string) (receipt, error) {
	file, err := os.Open(filepath.Join(folder, receiptName))
	if err != nil {
		return receipt{}, err
	}
	defer file.Close()
	var note receipt
	if err := json.NewDecoder(io.LimitReader(file, 64<<10)).Decode(&note); err != nil {
		return receipt{}, fmt.Errorf("read %s: %w", file.Name(), err)
	}
	return note, nil
}

// Install puts the pinned release's library into the cache folder and returns its
// path, doing nothing when it is there. It reads the official archive or, where
// that cannot be had, the npm package of the same release through the npm
// program; either must have the pinned hash. Processes that install at the same
// time wait for each other.
func Install(ctx context.Context, options Options) (string, error) {
	options, err := options.withDefaults()
	if err != nil {
		return "", err
	}
	row, err := options.releases.here()
	if err != nil {
		return "", hint.Wrap(err, "build ONNX Runtime "+Version+" for this system and set "+LibraryVariable+" to its shared library")
	}
	if path, ok := installed(options); ok {
		return path, nil
	}
	if err := os.MkdirAll(options.folder(), 0o755); err != nil {
		return "", fmt.Errorf("install ONNX Runtime: %w", err)
	}
	lock, err := filelock.Acquire(ctx, filepath.Join(options.CacheDir, "install.lock"), func() {
		options.Progress(Progress{Stage: StageWait})
	})
	if err != nil {
		return "", fmt.Errorf("install ONNX Runtime: %w", err)
	}
	defer lock.Close()
	if path, ok := installed(options); ok { // the other process did it
		return path, nil
	}
	if err := fetch(ctx, options, row); err != nil {
		return "", fmt.Errorf("install ONNX Runtime: %w", err)
	}
	path := filepath.Join(options.folder(), row.file)
	options.Progress(Progress{Stage: StageDone, Source: path})
	return path, nil
}

// fetch tries the sources in turn.
func fetch(ctx context.Context, options Options, row release) error {
	work, err := os.MkdirTemp(options.CacheDir, "install-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	official := fromRelease(ctx, options, row, work)
	if official == nil || ctx.Err() != nil {
		return official
	}
	options.Logger.Debug("the release archive cannot be had", "error", official)
	viaNPM := fromNPM(ctx, options, row, work)
	if viaNPM == nil || ctx.Err() != nil {
		return viaNPM
	}
	return hint.Wrap(fmt.Errorf("%w: %w", ErrNotInstalled, errors.Join(official, viaNPM)),
		"connect to the internet once, or put the library of release "+Version+" on this machine and set "+LibraryVariable)
}

// keep moves an extracted library into place: receipt first, so that a library
// that is there has one.
func keep(options Options, row release, extracted, source string) error {
	sum, size, err := hashFile(extracted)
	if err != nil {
		return err
	}
	folder := options.folder()
	_ = os.Remove(filepath.Join(folder, row.file))
	note, err := json.MarshalIndent(receipt{
		Version: Version, Source: source, SHA256: sum, Bytes: size, Installed: time.Now().UTC(),
	}, "", "  ")
	if err != nil {
		return err
	}
	staged := filepath.Join(filepath.Dir(extracted), receiptName)
	if err := os.WriteFile(staged, append(note, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.Rename(staged, filepath.Join(folder, receiptName)); err != nil {
		return err
	}
	return os.Rename(extracted, filepath.Join(folder, row.file))
}

// Verify compares the installed library with its receipt, byte for byte by hash.
// It returns ErrNotInstalled when there is none and ErrHash when it changed.
func Verify(options Options) (path string, err error) {
	options, err = options.withDefaults()
	if err != nil {
		return "", err
	}
	path, ok := installed(options)
	if !ok {
		return "", ErrNotInstalled
	}
	note, err := readReceipt(options.folder())
	if err != nil {
		return path, err
	}
	sum, _, err := hashFile(path)
	if err == nil && sum != note.SHA256 {
		err = hint.Wrap(fmt.Errorf("%w: %s changed since it was installed", ErrHash, path),
			"remove "+filepath.Dir(path)+" and have it installed again")
	}
	return path, err
}

func hashFile(path string) (sum string, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	digest := sha256.New()
	size, err = io.Copy(digest, file)
	return hex.EncodeToString(digest.Sum(nil)), size, err
}
