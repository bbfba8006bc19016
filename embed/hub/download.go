package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"mekiki/internal/vfs"
)

// download is one file on its way.
type download struct {
	client  *Client
	file    remoteFile
	final   string // path when complete
	tracker *tracker
	// base is what the tracker had counted before this file.
	base int64

	mutex  sync.Mutex
	target *os.File
	state  partState
}

// partial is the path of what has come so far.
func (d *download) partial() string { return d.final + partSuffix }

// run fetches the file, verifies it and puts it into its place. Content that turns out to be wrong is fetched once more
// from the beginning.
func (d *download) run(ctx context.Context) error {
	for attempt := 0; ; attempt++ {
		d.tracker.stage(StageDownload, d.file.name, d.base, d.tracker.total())
		err := d.once(ctx)
		if err == nil || attempt > 0 || !errors.Is(err, ErrHash) && !errors.Is(err, errChanged) {
			return err
		}
		d.client.options.Logger.WarnContext(ctx, "starting the file again", "file", d.file.name, "reason", err)
		if !d.file.pinned {
			refreshed, err := d.client.inspect(ctx, remoteFile{name: d.file.name, address: d.file.address})
			if err != nil {
				return err
			}
			d.file = refreshed
		}
	}
}

// once makes one attempt to complete the file. What is of no use any more is removed.
func (d *download) once(ctx context.Context) error {
	if err := d.open(); err != nil {
		return err
	}
	d.tracker.set(d.base + d.state.bytes())
	err := d.fetch(ctx)
	if err != nil && !errors.Is(err, errNoRanges) {
		err = errors.Join(err, d.target.Close())
		if errors.Is(err, errChanged) {
			err = errors.Join(err, d.discard())
		}
		return err
	}
	if errors.Is(err, errNoRanges) {
		if err := d.fetchWhole(ctx); err != nil {
			return errors.Join(err, d.target.Close())
		}
	}
	if err := errors.Join(d.target.Sync(), d.target.Close()); err != nil {
		return local(err)
	}
	return d.finish(ctx)
}

// open opens the partial file and reads what is known of it. A partial file of other content is begun again.
func (d *download) open() error {
	d.state = partState{}
	known, err := readRecord(d.final+stateSuffix, &d.state)
	if err != nil {
		return local(err)
	}
	info, statErr := os.Stat(d.partial())
	if !known || statErr != nil || !d.state.valid() || !d.state.matches(d.file) ||
		len(d.state.Done) > 0 && info.Size() < d.state.Done[len(d.state.Done)-1].End {
		d.state = partState{}
		if err := removeAll(d.partial(), d.final+stateSuffix); err != nil {
			return local(err)
		}
	}
	d.state.Address, d.state.Size, d.state.ETag, d.state.Digest = d.file.address, d.file.size, d.file.etag, d.file.digest
	target, err := os.OpenFile(d.partial(), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return local(err)
	}
	d.target = target
	return nil
}

// fetch brings the missing spans, several at once.
func (d *download) fetch(ctx context.Context) error {
	missing := d.state.missing(d.client.options.ChunkBytes)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan span)
	var workers sync.WaitGroup
	for range min(d.client.options.Connections, len(missing)) {
		workers.Go(func() {
			for next := range queue {
				if err := d.fetchSpan(ctx, next); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, next := range missing {
		if ctx.Err() != nil {
			break
		}
		select {
		case queue <- next:
		case <-ctx.Done():
		}
	}
	close(queue)
	workers.Wait()
	return context.Cause(ctx)
}

// fetchSpan brings one span, going on after failures from where it stopped. What came is recorded even if the rest does
// not come.
func (d *download) fetchSpan(ctx context.Context, wanted span) error {
	position := wanted.Start
	err := d.client.retry(ctx, "download "+d.file.name, d.client.options.Attempts, func() (bool, error) {
		before := position
		err := d.requestSpan(ctx, span{position, wanted.End}, func(count int64) {
			position += count
			d.tracker.add(count)
		})
		return position > before, err
	})
	return errors.Join(err, d.record(span{wanted.Start, position}))
}

// requestSpan makes one request for a span and writes what comes.
func (d *download) requestSpan(ctx context.Context, wanted span, wrote func(count int64)) error {
	watched, alive, stop := d.client.watch(ctx)
	defer stop()
	header := http.Header{}
	if wanted.Start != 0 || wanted.End != d.file.size {
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", wanted.Start, wanted.End-1))
	}
	response, err := d.client.send(watched, http.MethodGet, d.file.address, header)
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusRequestedRangeNotSatisfiable {
		return errChanged
	}
	if err != nil {
		return cause(watched, err)
	}
	defer response.Body.Close()
	if err := d.check(response, wanted); err != nil {
		return err
	}
	return cause(watched, d.copy(response.Body, wanted, alive, wrote))
}

// check compares the headers of an answer with what was asked for.
func (d *download) check(response *http.Response, wanted span) error {
	if d.file.tagMatters() && otherTag(d.file.etag, response.Header.Get("ETag")) {
		return errChanged
	}
	if response.StatusCode == http.StatusOK {
		if wanted.Start != 0 || wanted.End != d.file.size {
			return errNoRanges
		}
		if response.ContentLength >= 0 && response.ContentLength != d.file.size {
			return errChanged
		}
		return nil
	}
	start, last, total, err := parseContentRange(response.Header.Get("Content-Range"))
	if err != nil {
		return err
	}
	if total >= 0 && total != d.file.size {
		return errChanged
	}
	if start != wanted.Start || last >= wanted.End {
		return fmt.Errorf("the server sent bytes %d to %d where %d to %d were asked for", start, last, wanted.Start, wanted.End-1)
	}
	return nil
}

// tagMatters reports whether the entity tag tells if the file changed. Those of content that is named by its hash may
// differ between the servers of one storage; the hash tells then.
func (f remoteFile) tagMatters() bool {
	return !f.pinned && f.digest.Algorithm != SHA256 && f.digest.Algorithm != GitSHA1
}

// otherTag reports whether two entity tags are there and differ.
func otherTag(first, second string) bool {
	return first != "" && second != "" && strings.TrimPrefix(first, "W/") != strings.TrimPrefix(second, "W/")
}

// copy writes the body of an answer into its place, no more than was asked for.
func (d *download) copy(body io.Reader, wanted span, alive func(), wrote func(count int64)) error {
	buffer := make([]byte, 256<<10)
	position := wanted.Start
	for position < wanted.End {
		count, err := body.Read(buffer[:min(int64(len(buffer)), wanted.End-position)])
		if count > 0 {
			alive()
			if _, err := d.target.WriteAt(buffer[:count], position); err != nil {
				return local(err)
			}
			position += int64(count)
			wrote(int64(count))
		}
		if err == io.EOF && position < wanted.End {
			return io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
	return nil
}

// record makes a span durable: first its bytes, then the note that they are there.
func (d *download) record(done span) error {
	if done.End <= done.Start {
		return nil
	}
	if err := d.target.Sync(); err != nil {
		return local(err)
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.state.add(done)
	return local(writeRecord(d.final+stateSuffix, d.state))
}

// fetchWhole brings a file from a server that does not serve ranges, from the beginning after every failure.
func (d *download) fetchWhole(ctx context.Context) error {
	d.client.options.Logger.WarnContext(ctx, "the server does not serve ranges; the file cannot be resumed", "file", d.file.name)
	d.state.Done = nil
	if err := removeAll(d.final + stateSuffix); err != nil {
		return local(err)
	}
	best := int64(0)
	return d.client.retry(ctx, "download "+d.file.name, d.client.options.Attempts, func() (bool, error) {
		came := int64(0)
		d.tracker.set(d.base)
		err := d.requestSpan(ctx, span{0, d.file.size}, func(count int64) {
			came += count
			d.tracker.add(count)
		})
		further := came > best
		best = max(best, came)
		return further, err
	})
}

// finish verifies the complete file and gives it its name.
func (d *download) finish(ctx context.Context) error {
	d.tracker.stage(StageVerify, d.file.name, 0, d.file.size)
	err := d.file.digest.verify(ctx, d.partial(), d.tracker.add)
	if errors.Is(err, ErrHash) {
		return fmt.Errorf("download %s: %w", d.file.name, errors.Join(err, d.discard()))
	}
	if err != nil {
		return err
	}
	if err := os.Rename(d.partial(), d.final); err != nil {
		return local(err)
	}
	d.tracker.stage(StageDownload, d.file.name, d.base+d.file.size, d.tracker.total())
	return errors.Join(removeAll(d.final+stateSuffix), vfs.SyncFolder(filepath.Dir(d.final)))
}

// discard removes what came.
func (d *download) discard() error {
	return local(removeAll(d.partial(), d.final+stateSuffix))
}

// removeAll removes files that may not be there, and unfinished replacements of them.
func removeAll(paths ...string) error {
	var problems []error
	for _, path := range paths {
		problems = append(problems, os.RemoveAll(path), os.RemoveAll(path+".new"))
	}
	return errors.Join(problems...)
}
