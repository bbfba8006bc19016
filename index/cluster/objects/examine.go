package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/index/cluster/settings"
	"mekiki/internal/hint"
)

// Verdict is how a check of a store went.
type Verdict string

// The verdicts: as it should be; works, but not as it might; does not work.
const (
	VerdictOK      Verdict = "ok"
	VerdictWarning Verdict = "warning"
	VerdictFailed  Verdict = "failed"
)

// Finding is the result of one check.
type Finding struct {
	// Check is a short name: store, bucket, clock, region, rights, space.
	Check   string
	Verdict Verdict
	Detail  string
	// Remedy says what to do; empty where nothing is to be done.
	Remedy string
}

// Examine looks whether a store can hold a library: that it is there, takes the credentials,
// has the bucket, and lets us read, write, list and delete, which it tries with an object of
// its own. Clocks and regions that differ are named. It needs half a minute at most.
func Examine(ctx context.Context, where settings.Store) []Finding {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	store, err := Open(where)
	if err != nil {
		return []Finding{{"store", VerdictFailed, err.Error(), hint.Of(err)}}
	}
	defer store.Close()
	store.attempts, store.stall = examineAttempts, examineStall
	e := &examination{store: store, where: where}
	if e.reach(ctx) {
		e.rights(ctx)
	}
	return e.findings
}

type examination struct {
	store    *S3
	where    settings.Store
	findings []Finding
}

func (e *examination) add(check string, verdict Verdict, remedy, format string, arguments ...any) {
	e.findings = append(e.findings, Finding{check, verdict, fmt.Sprintf(format, arguments...), remedy})
}

// checksOf names the check that a fault belongs to.
var checksOf = map[kind]string{kindBucket: "bucket", kindCredentials: "credentials", kindRights: "rights", kindClock: "clock", kindRegion: "region", kindFull: "space", kindCertificate: "certificate"}

// fail notes what an error means.
func (e *examination) fail(check string, err error) {
	if found, ok := errors.AsType[faultError](err); ok && checksOf[found.kind] != "" {
		check = checksOf[found.kind]
	}
	remedy := hint.Of(err)
	if given, ok := errors.AsType[answer](err); ok && check == "clock" && !given.Date.IsZero() {
		e.add(check, VerdictFailed, remedy, "%s: %v", skew(given.Date), err)
		return
	}
	e.add(check, VerdictFailed, remedy, "%v", err)
}

// skew says how far this machine's clock is from a store's.
func skew(theirs time.Time) string {
	ahead := time.Since(theirs).Round(time.Second)
	if ahead < 0 {
		return fmt.Sprintf("the clock of this machine is %s behind that of the store", -ahead)
	}
	return fmt.Sprintf("the clock of this machine is %s ahead of that of the store", ahead)
}

// reach asks for the bucket, and says whether it makes sense to go on.
func (e *examination) reach(ctx context.Context) bool {
	var header http.Header
	started := time.Now()
	err := e.store.try(ctx, "look into the bucket", func(ctx context.Context, alive func()) error {
		started = time.Now()
		query := url.Values{"list-type": {"2"}, "prefix": {e.where.Prefix}, "max-keys": {"1"}}
		response, err := e.store.client.do(ctx, request{method: http.MethodGet, query: query, alive: alive})
		if err != nil {
			return err
		}
		header = response.Header
		return response.Body.Close()
	})
	if err != nil {
		e.fail("store", err)
		return false
	}
	e.add("store", VerdictOK, "", "%s answers in %s", e.where.Address, time.Since(started).Round(100*time.Microsecond))
	e.add("bucket", VerdictOK, "", "%s, keys begin with %q", e.where.Bucket, e.where.Prefix)
	e.clock(header)
	if region := header.Get("X-Amz-Bucket-Region"); region != "" && region != e.where.Region {
		e.add("region", VerdictWarning, fmt.Sprintf("set store.region to %q", region), "the bucket is in %s, store.region is %s", region, e.where.Region)
	} else {
		e.add("region", VerdictOK, "", "%s", e.where.Region)
	}
	return true
}

// clock compares the clocks. A store refuses requests whose time is a quarter of an hour off.
func (e *examination) clock(header http.Header) {
	theirs, err := http.ParseTime(header.Get("Date"))
	switch {
	case err != nil:
		e.add("clock", VerdictOK, "", "the store does not say its time, and accepts ours")
	case time.Since(theirs).Abs() > tolerableSkew:
		e.add("clock", VerdictWarning, "set the clock of this machine, or that of the store", "%s; at 15 minutes it refuses", skew(theirs))
	default:
		e.add("clock", VerdictOK, "", "within %s of the store's", tolerableSkew)
	}
}

// rights tries every kind of call on an object of its own, which it deletes.
func (e *examination) rights(ctx context.Context) {
	key := fmt.Sprintf("doctor/%016x", rand.Uint64())
	data := bytes.Repeat([]byte("mekiki "), blockSize/4)
	defer func() { // even where the context has ended, and what could not be deleted was said
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), examineStall)
		defer cancel()
		_ = e.store.Delete(late, key)
	}()
	for _, step := range []struct {
		right string
		try   func() error
	}{
		{"put", func() error { return e.store.Put(ctx, key, data) }},
		{"get", func() error {
			got, err := e.store.Get(ctx, key)
			return asWritten(got, data, err)
		}},
		{"get a range", func() error {
			got, err := e.store.Range(ctx, key, blockSize-10, 20)
			return asWritten(got, data[blockSize-10:blockSize+10], err)
		}},
		{"list", func() error {
			for info, err := range e.store.List(ctx, key) {
				if err != nil || info.Key == key {
					return err
				}
			}
			return fmt.Errorf("%w: a new object is not in the list", ErrRefused)
		}},
		{"put on a condition", func() error {
			_, err := e.store.PutIf(ctx, key, data, "")
			if errors.Is(err, ErrConflict) {
				return nil
			}
			if err == nil {
				err = fmt.Errorf("%w: it overwrites an object though it was told not to (If-None-Match)", ErrRefused)
			}
			return hint.Wrap(err, "use a store that supports conditional writes, as Amazon S3, MinIO, Ceph 19 and versitygw do")
		}},
		{"delete", func() error {
			if err := e.store.Delete(ctx, key); err != nil {
				return err
			}
			if _, err := e.store.Get(ctx, key); !errors.Is(err, ErrAbsent) {
				return fmt.Errorf("%w: a deleted object is still there: %w", ErrRefused, err)
			}
			return nil
		}},
	} {
		if err := step.try(); err != nil {
			e.fail("rights", fmt.Errorf("the right to %s: %w", step.right, err))
			return
		}
	}
	e.add("rights", VerdictOK, "", "put, get, list and delete, and writing on a condition")
}

// asWritten says whether a call gave what was written.
func asWritten(got, want []byte, err error) error {
	if err == nil && !bytes.Equal(got, want) {
		return fmt.Errorf("%w: other bytes than were written", index.ErrDamaged)
	}
	return err
}

// Failed reports whether a finding says that something does not work.
func Failed(findings []Finding) bool {
	for _, finding := range findings {
		if finding.Verdict == VerdictFailed {
			return true
		}
	}
	return false
}

// String gives a finding in a line.
func (f Finding) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%s: %s: %s: %s", f.Check, f.Verdict, f.Detail, f.Remedy), ": ")
}
