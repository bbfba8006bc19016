//go:build linux

package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mekiki/server/memory"
	"mekiki/server/servertest"
)

// The load tests take a minute and the whole machine, so that they run only when
// asked for: MEKIKI_LOAD_TEST=1. Their figures stand in docs/operations.md.

func loadTest(t *testing.T) {
	t.Helper()
	if os.Getenv("MEKIKI_LOAD_TEST") == "" {
		t.Skip("set MEKIKI_LOAD_TEST=1 to run it")
	}
}

// spread is how long accepted requests took, and what became of the others.
type spread struct {
	accepted []time.Duration
	refused  int
	failed   int
}

func (s *spread) percentile(share float64) time.Duration {
	return servertest.Percentile(s.accepted, share)
}

func (s *spread) add(other *spread) {
	s.accepted = append(s.accepted, other.accepted...)
	s.refused += other.refused
	s.failed += other.failed
}

func (s *spread) String() string {
	return fmt.Sprintf("%d accepted (p50 %s, p99 %s), %d refused, %d failed", len(s.accepted),
		s.percentile(0.5).Round(10*time.Microsecond), s.percentile(0.99).Round(10*time.Microsecond), s.refused, s.failed)
}

// drive asks for path from some clients at once for a while; a client that is
// refused waits a little, as Retry-After bids, but far less.
func (f *fixture) drive(path string, clients int, span, pause time.Duration) *spread {
	f.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	total, mutex := &spread{}, sync.Mutex{}
	var group sync.WaitGroup
	for end, n := time.Now().Add(span), 0; n < clients; n++ {
		group.Go(func() {
			for time.Now().Before(end) {
				began := time.Now()
				response, err := client.Get(f.base + path)
				took := time.Since(began)
				mutex.Lock()
				switch {
				case err != nil:
					total.failed++
				case response.StatusCode == http.StatusOK:
					total.accepted = append(total.accepted, took)
				case response.StatusCode == http.StatusTooManyRequests:
					total.refused++
				default:
					total.failed++
				}
				mutex.Unlock()
				if err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
					if response.StatusCode == http.StatusTooManyRequests {
						time.Sleep(pause)
					}
				}
			}
		})
	}
	group.Wait()
	return total
}

// resident is the process's memory in MiB, by the kernel's count.
func resident(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes >> 10
		}
	}
	return 0
}

// TestLoadOverload offers four times as many searches as there are places, queue
// included, and, in turns with it, as many as are served at a time. A search here
// is a wait of 20 ms, so that the figures are the server's own and not a model's.
func TestLoadOverload(t *testing.T) {
	loadTest(t)
	f := start(t, func(o *Options) { o.Limits.Searches, o.Limits.SearchQueue = 8, 8 })
	f.searcher.before = func(ctx context.Context) error {
		select {
		case <-time.After(20 * time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	debug.FreeOSMemory()
	goroutines, before := runtime.NumGoroutine(), resident(t)
	served, full, over := &spread{}, &spread{}, &spread{}
	for range 4 {
		served.add(f.drive("/api/v1/search?q=x", 8, 3*time.Second, 0))
		full.add(f.drive("/api/v1/search?q=x", 16, 3*time.Second, 0))
		over.add(f.drive("/api/v1/search?q=x", 64, 3*time.Second, 20*time.Millisecond))
		time.Sleep(200 * time.Millisecond)
	}
	f.client.CloseIdleConnections()
	time.Sleep(500 * time.Millisecond)
	debug.FreeOSMemory()
	t.Logf("8 clients: %s", served)
	t.Logf("16 clients: %s", full)
	t.Logf("64 clients: %s", over)
	t.Logf("memory %d MiB before, %d MiB after; goroutines %d and %d", before, resident(t), goroutines, runtime.NumGoroutine())
	if served.failed+full.failed+over.failed > 0 || served.refused > 0 || over.refused == 0 {
		t.Errorf("failed %d, %d and %d, refused %d and %d", served.failed, full.failed, over.failed, served.refused, over.refused)
	}
	if got, limit := over.percentile(0.99), 2*served.percentile(0.99); got > limit {
		t.Errorf("p99 under overload is %s, more than twice %s", got, served.percentile(0.99))
	}
	if grown := runtime.NumGoroutine() - goroutines; grown > 5 {
		t.Errorf("%d goroutines more than before", grown)
	}
}

// slowConnections is how many connections the tests of slow clients hold, and slowClientCount how many clients it
// takes, since some are always between two connections.
const slowConnections, slowClientCount = 10_000, 11_000

// TestLoadSlowConnections asks ordinary things while a process of slow clients keeps 10,000 connections open
// that send a header a byte at a time; each is cut off after a while and opened again.
func TestLoadSlowConnections(t *testing.T) {
	loadTest(t)
	f := start(t)
	goroutines := runtime.NumGoroutine()
	idle := f.drive("/api/v1/records?limit=1", 4, 5*time.Second, 0)
	clients := startSlowClients(t, strings.TrimPrefix(f.base, "http://"), slowClientCount)
	waitLong(t, func() bool { return sockets(t) >= slowConnections && clients.closed.Load() > slowConnections })
	var least, most int
	watched := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(watched)
		for ; ctx.Err() == nil; pause(ctx, time.Second) {
			count := sockets(t)
			most = max(most, count)
			if least == 0 || count < least {
				least = count
			}
		}
	}()
	before := clients.closed.Load()
	busy := f.drive("/api/v1/records?limit=1", 4, 15*time.Second, 0)
	cancel()
	<-watched
	closed := clients.closed.Load() - before
	clients.stop()
	f.client.CloseIdleConnections()
	waitFor(t, func() bool { return runtime.NumGoroutine() < goroutines+6 })
	t.Logf("idle: %s", idle)
	t.Logf("beside %d to %d open connections, %d of them cut off in 15 s: %s", least, most, closed, busy)
	if busy.failed+busy.refused > 0 || most < slowConnections || least < slowConnections*95/100 {
		t.Errorf("failed %d, refused %d, held %d to %d", busy.failed, busy.refused, least, most)
	}
	if got, limit := busy.percentile(0.99), 2*idle.percentile(0.99); got > limit {
		t.Errorf("p99 beside slow connections is %s, more than twice %s", got, idle.percentile(0.99))
	}
}

// TestLoadMemoryComesBack holds 10,000 slow connections for a while and lets go of them, twice, and watches the memory
// of the server, which nobody asks anything meanwhile and which nothing from outside tells to collect its garbage. What
// the runtime keeps for good, a few hundred bytes for each goroutine and connection that there ever was at a time, it keeps
// once.
func TestLoadMemoryComesBack(t *testing.T) {
	loadTest(t)
	f := start(t)
	f.drive("/api/v1/records?limit=1", 4, time.Second, 0)
	debug.FreeOSMemory()
	base := resident(t)
	t.Logf("%d MiB before", base)
	after := [2]int{}
	for round := range after {
		clients := startSlowClients(t, strings.TrimPrefix(f.base, "http://"), slowClientCount)
		waitLong(t, func() bool { return sockets(t) >= slowConnections })
		time.Sleep(10 * time.Second)
		t.Logf("%d MiB beside %d connections", resident(t), sockets(t))
		clients.stop()
		time.Sleep(2 * memory.Tick)
		after[round] = resident(t)
		t.Logf("%d MiB after %s", after[round], 2*memory.Tick)
	}
	if after[0] > base+24 || after[1] > after[0]+4 {
		t.Errorf("%d MiB before, %d and %d after", base, after[0], after[1])
	}
}

// waitLong waits half a minute for a condition.
func waitLong(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %d connections", sockets(t))
		}
	}
}
