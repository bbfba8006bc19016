package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/cluster/settings"
	"mekiki/internal/clustertest/storetest"
	"mekiki/internal/hint"
)

// at gives the settings of a store at an address.
func at(address string) settings.Store {
	return settings.Store{Address: address, Bucket: "bucket", Region: "us-east-1", Prefix: "library/", AccessKey: "access", SecretKey: "secret", Addressing: "auto"}
}

// open opens a store that does not wait long between attempts.
func open(tb testing.TB, where settings.Store) *S3 {
	tb.Helper()
	store, err := Open(where)
	if err != nil {
		tb.Fatal(err)
	}
	store.pause = func(int) time.Duration { return time.Millisecond }
	tb.Cleanup(func() { store.Close() })
	return store
}

// noise gives bytes without a pattern.
func noise(size int) []byte {
	data := make([]byte, size)
	random := rand.NewChaCha8([32]byte{byte(size)})
	random.Read(data)
	return data
}

// testConditions checks the conditions of [Store.PutIf].
func testConditions(t *testing.T, store Store) {
	ctx := t.Context()
	first, err := store.PutIf(ctx, "conditional", []byte("one"), "")
	if err != nil || first == "" {
		t.Fatal(first, err)
	}
	if _, err := store.PutIf(ctx, "conditional", []byte("two"), ""); !errors.Is(err, ErrConflict) {
		t.Errorf("made twice: %v", err)
	}
	second, err := store.PutIf(ctx, "conditional", []byte("two"), first)
	if err != nil || second == first {
		t.Fatal(second, err)
	}
	if _, err := store.PutIf(ctx, "conditional", []byte("three"), first); !errors.Is(err, ErrConflict) {
		t.Errorf("an old tag: %v", err)
	}
	if _, err := store.PutIf(ctx, "nowhere", []byte("x"), first); !errors.Is(err, ErrConflict) {
		t.Errorf("what is not there: %v", err)
	}
	data, tag, err := store.GetTagged(ctx, "conditional")
	if err != nil || string(data) != "two" || tag != second {
		t.Errorf("%s, %s instead of %s, %v", data, tag, second, err)
	}
	again, err := store.PutIf(ctx, "conditional", []byte("two"), second)
	if err != nil || again == second {
		t.Errorf("the same data has the same tag: %s, %v", again, err)
	}
	// Many count together: each number is given once.
	var counting sync.WaitGroup
	for range 4 {
		counting.Go(func() {
			for done := 0; done < 5; {
				data, tag, err := store.GetTagged(ctx, "counter")
				if err != nil && !errors.Is(err, ErrAbsent) {
					t.Error(err)
					return
				}
				_, err = store.PutIf(ctx, "counter", append(bytes.Clone(data), '+'), tag)
				switch {
				case err == nil:
					done++
				case !errors.Is(err, ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	counting.Wait()
	if data, err := store.Get(ctx, "counter"); err != nil || len(data) != 20 {
		t.Errorf("counted %d, %v", len(data), err)
	}
	if err := store.Delete(ctx, "counter", "conditional"); err != nil {
		t.Error(err)
	}
}

// TestLostAnswer: a write on a condition that was done, but whose answer was lost, is
// acknowledged by the next attempt; one of somebody else is not taken for ours.
func TestLostAnswer(t *testing.T) {
	address := storetest.StartMemory(t, "bucket")
	proxy := storetest.StartProxy(t, address)
	store, direct := open(t, at(proxy.URL)), open(t, at(address))
	proxy.Next(2, storetest.LostAnswer)
	tag, err := store.PutIf(t.Context(), "key", []byte("x"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, found, err := direct.GetTagged(t.Context(), "key"); err != nil || found != tag {
		t.Errorf("tag %s, found %s, %v", tag, found, err)
	}
	proxy.Next(1, storetest.Unavailable)
	if _, err := store.PutIf(t.Context(), "key", []byte("x"), ""); !errors.Is(err, ErrConflict) {
		t.Errorf("the same data of an earlier write is taken for ours: %v", err)
	}
}

// sizes are lengths about the bounds of blocks.
var sizes = []int{0, 1, 100, blockSize - 1, blockSize, blockSize + 1, 3*blockSize + 17}

func TestStoreInMemory(t *testing.T) {
	testStore(t, open(t, at(storetest.StartMemory(t, "bucket"))))
}

// testStore checks the promises of [Store].
func testStore(t *testing.T, store Store) {
	ctx := t.Context()
	var keys []string
	for _, size := range sizes {
		key, data := fmt.Sprintf("some/%07d", size), noise(size)
		keys = append(keys, key)
		for range 2 { // and again in its own place
			if err := store.Put(ctx, key, data); err != nil {
				t.Fatal(err)
			}
		}
		got, err := store.Get(ctx, key)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%s: %d bytes, %v", key, len(got), err)
		}
		for range 20 {
			offset := rand.IntN(size + 1)
			length := rand.IntN(size - offset + 1)
			got, err := store.Range(ctx, key, int64(offset), int64(length))
			if err != nil || !bytes.Equal(got, data[offset:offset+length]) {
				t.Fatalf("%s, %d bytes from %d: %d bytes, %v", key, length, offset, len(got), err)
			}
		}
		for _, from := range []int{size, size + blockSize, max(0, size-1)} {
			if _, err := store.Range(ctx, key, int64(from), 2); !errors.Is(err, ErrRange) {
				t.Errorf("%s, 2 bytes from %d: %v", key, from, err)
			}
		}
	}
	if err := store.Put(ctx, "other", []byte("x")); err != nil {
		t.Fatal(err)
	}
	listed := func(prefix string) (found []string) {
		t.Helper()
		for info, err := range store.List(ctx, prefix) {
			if err != nil {
				t.Fatal(err)
			}
			if info.Size < headerSize || time.Since(info.Modified).Abs() > time.Hour {
				t.Errorf("%+v", info)
			}
			found = append(found, info.Key)
		}
		return found
	}
	if got := listed("some/"); !slices.Equal(got, keys) {
		t.Errorf("listed %v", got)
	}
	if got := listed(""); len(got) != len(keys)+1 {
		t.Errorf("listed %v", got)
	}
	if got := listed("nothing"); got != nil {
		t.Errorf("listed %v", got)
	}
	if err := store.Delete(ctx, append(keys[1:], "never/there")...); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(store.Delete(ctx, keys[1]), store.Delete(ctx), store.Delete(ctx, "other")); err != nil {
		t.Fatal(err)
	}
	if got := listed(""); !slices.Equal(got, keys[:1]) {
		t.Errorf("left are %v", got)
	}
	if _, err := store.Get(ctx, keys[1]); !errors.Is(err, ErrAbsent) {
		t.Errorf("a deleted object: %v", err)
	}
	if _, err := store.Range(ctx, keys[1], 0, 1); !errors.Is(err, ErrAbsent) {
		t.Errorf("a part of a deleted object: %v", err)
	}
	testConditions(t, store)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, getError := store.Get(ended, keys[0])
	for _, err := range []error{store.Put(ended, "late", nil), store.Delete(ended, keys[0]), getError} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after the end of its context: %v", err)
		}
	}
}

func TestListGoesOverPages(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 1,005 objects")
	}
	store := open(t, at(storetest.StartMemory(t, "bucket")))
	for i := range listPage + 5 {
		if err := store.Put(t.Context(), fmt.Sprintf("p/%06d", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	count := 0
	for info, err := range store.List(t.Context(), "p/") {
		if err != nil || info.Key != fmt.Sprintf("p/%06d", count) {
			t.Fatalf("%+v, %v", info, err)
		}
		count++
	}
	if count != listPage+5 {
		t.Errorf("listed %d", count)
	}
}

func TestWrongKeys(t *testing.T) {
	store := open(t, at("http://127.0.0.1:1"))
	for _, key := range []string{"", "/a", "a/", "a//b", "a/../b", ".", "a b", "é", "a\n", `a\b`, "a\xff", strings.Repeat("k", maximumKey+1)} {
		_, getError := store.Get(t.Context(), key)
		_, rangeError := store.Range(t.Context(), key, 0, 1)
		for _, err := range []error{store.Put(t.Context(), key, nil), store.Delete(t.Context(), key), getError, rangeError} {
			if !errors.Is(err, ErrKey) {
				t.Errorf("%q: %v", key, err)
			}
		}
	}
	if _, err := store.Range(t.Context(), "a", -1, 1); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
	if _, err := store.Range(t.Context(), "a", 1, MaximumObject); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
}

// TestFaultsThatPass: every call succeeds after each fault of a network or a busy store, at once or a few times in a row.
func TestFaultsThatPass(t *testing.T) {
	testFaultsThatPass(t, at(storetest.StartMemory(t, "bucket")))
}

func testFaultsThatPass(t *testing.T, where settings.Store) {
	data := noise(2*blockSize + 5)
	calls := map[string]func(ctx context.Context, store Store) error{
		"put": func(ctx context.Context, store Store) error { return store.Put(ctx, "put", data) },
		"put on a condition": func(ctx context.Context, store Store) error {
			_, tag, err := store.GetTagged(ctx, "conditional")
			if err != nil && !errors.Is(err, ErrAbsent) {
				return err
			}
			_, err = store.PutIf(ctx, "conditional", data, tag)
			return err
		},
		"get": func(ctx context.Context, store Store) error { return same(data)(store.Get(ctx, "key")) },
		"range": func(ctx context.Context, store Store) error {
			return same(data[5 : blockSize+10])(store.Range(ctx, "key", 5, blockSize+5))
		},
		"list": func(ctx context.Context, store Store) error {
			for info, err := range store.List(ctx, "key") {
				if err != nil || info.Key != "key" {
					return fmt.Errorf("%+v, %w", info, err)
				}
			}
			return nil
		},
		"delete":  func(ctx context.Context, store Store) error { return store.Delete(ctx, "gone") },
		"deletes": func(ctx context.Context, store Store) error { return store.Delete(ctx, "gone", "gone2") },
	}
	if err := open(t, where).Put(t.Context(), "key", data); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // minio-go waits up to 200 ms after each failure
			proxy := storetest.StartProxy(t, where.Address)
			where := where
			where.Address = proxy.URL
			store := open(t, where)
			store.stall = time.Second
			faults := map[storetest.Fault]int{storetest.InternalError: 2, storetest.Unavailable: maximumAttempts - 1, storetest.Stalled: 1, storetest.LostAnswer: 2, storetest.CutOff: 2}
			if name == "put" || name == "put on a condition" || name == "get" || name == "range" { // no checksum covers the others
				faults[storetest.FlippedAnswer], faults[storetest.FlippedRequest] = damagedAttempts-1, 2
			}
			for fault, times := range faults {
				proxy.Reset()
				proxy.FlipBit(8 * (rand.IntN(len(data)-100) + 100))
				proxy.Next(times, fault)
				if err := call(t.Context(), store); err != nil {
					t.Errorf("fault %d: %v", fault, err)
				}
			}
			// What a flipped request left is not taken for what was written.
			if name == "put" {
				if err := same(data)(store.Get(t.Context(), "put")); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// same makes a check of what a call gives.
func same(want []byte) func([]byte, error) error {
	return func(got []byte, err error) error {
		if err == nil && !bytes.Equal(got, want) {
			return fmt.Errorf("%d other bytes", len(got))
		}
		return err
	}
}

// TestFaultsThatStay: a store that goes on failing is asked a bounded number of times, and the error says so.
func TestFaultsThatStay(t *testing.T) {
	proxy := storetest.StartProxy(t, storetest.StartMemory(t, "bucket"))
	store := open(t, at(proxy.URL))
	store.stall = 50 * time.Millisecond
	if err := store.Put(t.Context(), "key", noise(1000)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		fault    storetest.Fault
		requests int
		want     error
	}{
		{storetest.InternalError, maximumAttempts, ErrUnavailable},
		{storetest.Unavailable, maximumAttempts, ErrUnavailable},
		{storetest.Stalled, maximumAttempts, ErrUnavailable},
		{storetest.CutOff, maximumAttempts, ErrUnavailable},
		{storetest.FlippedAnswer, damagedAttempts, index.ErrDamaged},
		{storetest.WholeObject, 1, ErrRefused},
	} {
		proxy.Reset()
		proxy.Next(100, test.fault)
		_, err := store.Range(t.Context(), "key", 1, 100)
		if requests := proxy.Reset(); !errors.Is(err, test.want) || requests != test.requests || hint.Of(err) == "" {
			t.Errorf("fault %d: %d requests, %v (%s)", test.fault, requests, err, hint.Of(err))
		}
	}
}

// TestContextEndsWaiting: whoever does not wait any longer gets the context's error, in a call and in a pause.
func TestContextEndsWaiting(t *testing.T) {
	proxy := storetest.StartProxy(t, storetest.StartMemory(t, "bucket"))
	store := open(t, at(proxy.URL))
	for fault, pause := range map[storetest.Fault]time.Duration{storetest.Stalled: 0, storetest.Unavailable: time.Hour} {
		proxy.Next(100, fault)
		store.pause = func(int) time.Duration { return pause }
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := store.Get(ctx, "key"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("fault %d: %v", fault, err)
		}
		cancel()
		proxy.Reset()
	}
}

func TestPauses(t *testing.T) {
	for attempt := 1; attempt < 40; attempt++ {
		if p := pause(attempt); p < shortestPause/2 || p > longestPause+shortestPause {
			t.Errorf("attempt %d waits %s", attempt, p)
		}
	}
}
