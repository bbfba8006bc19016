package ort

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// fromRelease downloads the official archive, verifies it and keeps the library.
func fromRelease(ctx context.Context, options Options, row release, work string) error {
	archive := filepath.Join(work, "archive")
	if err := download(ctx, options, row, archive); err != nil {
		return fmt.Errorf("download %s: %w", row.address, err)
	}
	extracted := filepath.Join(work, "library")
	report := func(done, total int64) {
		options.Progress(Progress{Stage: StageExtract, Source: row.address, Done: done, Total: total})
	}
	extract := extractTar
	if strings.HasSuffix(row.address, ".zip") {
		extract = extractZip
	}
	if err := extract(ctx, archive, row.member, extracted, report); err != nil {
		return fmt.Errorf("extract %s: %w", row.address, err)
	}
	return keep(options, row, extracted, row.address)
}

// download writes the archive to path and compares its hash. It gives up when
// nothing arrives for a while.
func download(ctx context.Context, options Options, row release, path string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: answerTimeout,
		ForceAttemptHTTP2:     true,
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, row.address, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", response.Status)
	}
	if response.ContentLength > maximumArchive {
		return fmt.Errorf("the archive has %d bytes, more than %d", response.ContentLength, maximumArchive)
	}
	watchdog := time.AfterFunc(options.stall, func() { cancel(errStalled) })
	defer watchdog.Stop()
	sum, err := receive(response, path, func(done int64) {
		watchdog.Reset(options.stall)
		options.Progress(Progress{Stage: StageDownload, Source: row.address, Done: done, Total: max(response.ContentLength, 0)})
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	if err != nil {
		return err
	}
	if sum != row.sha256 {
		return fmt.Errorf("%w: sha256 is %s, want %s", ErrHash, sum, row.sha256)
	}
	return nil
}

var errStalled = errors.New("the download stalled")

// receive copies a response's body to path and returns its SHA-256.
func receive(response *http.Response, path string, report func(done int64)) (string, error) {
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	digest := sha256.New()
	body := &meter{source: io.LimitReader(response.Body, maximumArchive+1), report: report}
	size, err := io.Copy(io.MultiWriter(file, digest), body)
	if err == nil && size > maximumArchive {
		err = fmt.Errorf("the archive has more than %d bytes", maximumArchive)
	}
	if err == nil {
		err = file.Close()
	}
	return hex.EncodeToString(digest.Sum(nil)), err
}

// meter reports how much was read from source, at most a few times for each
// megabyte.
type meter struct {
	source   io.Reader
	report   func(done int64)
	done     int64
	reported int64
}

func (m *meter) Read(buffer []byte) (int, error) {
	count, err := m.source.Read(buffer)
	m.done += int64(count)
	if m.done-m.reported >= 256<<10 || err != nil {
		m.reported = m.done
		m.report(m.done)
	}
	return count, err
}
