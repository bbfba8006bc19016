//go:build linux

package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
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
	if len(s.accepted) == 0 {
		return 0
	}
	slices.Sort(s.accepted)
	return s.accepted[min(len(s.accepted)-1, int(share*float64(len(s.accepted))))]
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
	debug.FreeOSMemory()
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
	goroutines, memory := runtime.NumGoroutine(), resident(t)
	served, full, over := &spread{}, &spread{}, &spread{}
	for range 4 {
		served.add(f.drive("/api/v1/search?q=x", 8, 3*time.Second, 0))
		full.add(f.drive("/api/v1/search?q=x", 16, 3*time.Second, 0))
		over.add(f.drive("/api/v1/search?q=x", 64, 3*time.Second, 20*time.Millisecond))
		time.Sleep(200 * time.Millisecond)
	}
	f.client.CloseIdleConnections()
	time.Sleep(500 * time.Millisecond)
	t.Logf("8 clients: %s", served)
	t.Logf("16 clients: %s", full)
	t.Logf("64 clients: %s", over)
	t.Logf("memory %d MiB before, %d MiB after; goroutines %d and %d", memory, resident(t), goroutines, runtime.NumGoroutine())
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

// TestLoadSlowConnections opens 10,000 connections, or as many as the process may, that send a header a byte at a
// time, and asks ordinary things meanwhile.
func TestLoadSlowConnections(t *testing.T) {
	loadTest(t)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// Both ends of each connection are files of this process.
	wanted := min(10_000, int(limit.Cur-500)/2)
	f := start(t)
	goroutines, memory := runtime.NumGoroutine(), resident(t)
	idle := f.drive("/api/v1/records?limit=1", 4, 3*time.Second, 0)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	var open atomic.Int64
	for range 100 {
		group.Go(func() { dribble(ctx, strings.TrimPrefix(f.base, "http://"), wanted/100, &open) })
	}
	for end := time.Now().Add(30 * time.Second); open.Load() < int64(wanted*9/10) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	held, during := open.Load(), resident(t)
	busy := f.drive("/api/v1/records?limit=1", 4, 10*time.Second, 0)
	cancel()
	group.Wait()
	f.client.CloseIdleConnections()
	waitFor(t, func() bool { return runtime.NumGoroutine() < goroutines+6 })
	t.Logf("idle: %s", idle)
	t.Logf("beside %d slow connections: %s", held, busy)
	t.Logf("memory %d MiB before, %d MiB during, %d MiB after", memory, during, resident(t))
	if busy.failed+busy.refused > 0 || held < int64(wanted*9/10) {
		t.Errorf("failed %d, refused %d, held %d", busy.failed, busy.refused, held)
	}
	if got, limit := busy.percentile(0.99), 2*idle.percentile(0.99); got > limit {
		t.Errorf("p99 beside slow connections is %s, more than twice %s", got, idle.percentile(0.99))
	}
}

// dribble keeps count connections open, each sending one byte a second, and opens
// those that the server closes again.
func dribble(ctx context.Context, address string, count int, open *atomic.Int64) {
	connections := make([]net.Conn, count)
	defer func() {
		for _, connection := range connections {
			if connection != nil {
				connection.Close()
			}
		}
	}()
	for ctx.Err() == nil {
		for i := range connections {
			if connections[i] == nil {
				connection, err := net.Dial("tcp", address)
				if err != nil {
					continue
				}
				connections[i] = connection
				open.Add(1)
			}
			if _, err := connections[i].Write([]byte("G")); err != nil {
				connections[i].Close()
				connections[i] = nil
				open.Add(-1)
			}
			// Spread over the second, as they would come from many machines: in
			// one burst the test would measure its own client.
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second / time.Duration(count)):
			}
		}
	}
}
