package hub

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const bigPath = "/files/big.pth"

// bigServer offers one file of many ranges.
func bigServer(t *testing.T) (*testServer, []byte) {
	t.Helper()
	server := newServer(t)
	data := randomBytes(5, 20*(64<<10)+17)
	server.put(bigPath, data)
	return server, data
}

func pullBig(t *testing.T, server *testServer, options Options) (Result, error) {
	t.Helper()
	return newClient(t, options).Pull(t.Context(), server.URL+bigPath)
}

// pullWhole pulls the file, which must come out as want.
func pullWhole(t *testing.T, server *testServer, options Options, want []byte) Result {
	t.Helper()
	result, err := pullBig(t, server, options)
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(result.Dir, "big.pth"), want)
	return result
}

// pullUntilCancelled breaks a pull off half way.
func pullUntilCancelled(t *testing.T, server *testServer, options Options) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var count atomic.Int64
	server.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if isGet(r) && count.Add(1) == 10 {
			cancel()
			<-r.Context().Done()
		}
		return false
	}
	if _, err := newClient(t, options).Pull(ctx, server.URL+bigPath); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
}

// rangeStart is the first byte that a request asks for.
func rangeStart(r *http.Request) int {
	start, _ := strconv.Atoi(strings.Split(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")[0])
	return start
}

// isGet reports whether a request is for content rather than for headers.
func isGet(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Path == bigPath }

// TestPassingFaults lets every third request fail in one way; the file must still come out right.
func TestPassingFaults(t *testing.T) {
	partly := func(w http.ResponseWriter, r *http.Request, data []byte) {
		start := rangeStart(r)
		end := min(start+64<<10, len(data))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, end-1, len(data)))
		w.Header().Set("Content-Length", strconv.Itoa(end-start))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(data[start : start+(end-start)/2])
		w.(http.Flusher).Flush()
	}
	for name, fault := range map[string]func(w http.ResponseWriter, r *http.Request, data []byte){
		"drops before the answer": func(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) },
		"drops half way": func(w http.ResponseWriter, r *http.Request, data []byte) {
			partly(w, r, data)
			panic(http.ErrAbortHandler)
		},
		"stalls half way": func(w http.ResponseWriter, r *http.Request, data []byte) {
			partly(w, r, data)
			<-r.Context().Done()
		},
		"truncates": func(w http.ResponseWriter, r *http.Request, data []byte) {
			start := rangeStart(r)
			end := min(start+1000, len(data))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, end-1, len(data)))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(data[start:end])
		},
		"answers 500": func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(http.StatusInternalServerError) },
		"answers 503 and a pause": func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"answers 429": func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(http.StatusTooManyRequests) },
		"sends another range": func(w http.ResponseWriter, _ *http.Request, data []byte) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 7-100/%d", len(data)))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(data[7:101])
		},
		"sends a malformed range": func(w http.ResponseWriter, _ *http.Request, data []byte) {
			w.Header().Set("Content-Range", "bytes x")
			w.WriteHeader(http.StatusPartialContent)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, data := bigServer(t)
			var count atomic.Int64
			server.before = func(w http.ResponseWriter, r *http.Request) bool {
				if isGet(r) && count.Add(1)%3 == 0 {
					fault(w, r, data)
					return true
				}
				return false
			}
			options := testOptions(t, server.environment())
			options.Attempts = 20 // four connections share the faults by chance
			result := pullWhole(t, server, options, data)
			wantNoRemains(t, result.Dir)
		})
	}
}

func TestLyingHash(t *testing.T) {
	server, data := bigServer(t)
	server.before = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("X-Linked-Etag", `"`+sha256Text([]byte("something else"))+`"`)
		return false
	}
	options := testOptions(t, server.environment())
	result, err := pullBig(t, server, options)
	if !errors.Is(err, ErrHash) {
		t.Fatalf("result %+v, error %v", result, err)
	}
	dir := filepath.Join(options.Dir, "big")
	wantNoRemains(t, dir)
	if exists(filepath.Join(dir, "big.pth")) {
		t.Error("a file whose hash differs was put into place")
	}
	if sent := server.sentBytes(bigPath); sent != 2*int64(len(data)) {
		t.Errorf("%d bytes were sent; the file should be tried twice", sent)
	}
}

// TestDamagedOnce alters one byte on the way, once; the second attempt must be right.
func TestDamagedOnce(t *testing.T) {
	server, data := bigServer(t)
	var done atomic.Bool
	server.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !isGet(r) || !done.CompareAndSwap(false, true) {
			return false
		}
		start := rangeStart(r)
		part := append([]byte(nil), data[start:start+64<<10]...)
		part[77] ^= 1
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, start+len(part)-1, len(data)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(part)
		return true
	}
	pullWhole(t, server, testOptions(t, server.environment()), data)
}

// TestChangeBetweenRanges replaces the file after a few ranges: by one of the same size, of another size, and on a
// server that publishes no hashes. The result must be one of the two, whole.
func TestChangeBetweenRanges(t *testing.T) {
	for name, test := range map[string]struct {
		size   int
		hashes bool
	}{
		"same size": {20*(64<<10) + 17, true}, "smaller": {100_000, true}, "larger": {2_000_000, true},
		"same size without hashes": {20*(64<<10) + 17, false}, "smaller without hashes": {100_000, false},
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := bigServer(t)
			server.hashes = test.hashes
			changed := randomBytes(6, test.size)
			var count atomic.Int64
			server.before = func(_ http.ResponseWriter, r *http.Request) bool {
				if isGet(r) && count.Add(1) == 5 {
					server.put(bigPath, changed)
				}
				return false
			}
			result := pullWhole(t, server, testOptions(t, server.environment()), changed)
			wantNoRemains(t, result.Dir)
			if result.Bytes() != int64(test.size) {
				t.Errorf("recorded %d bytes", result.Bytes())
			}
		})
	}
}

// TestTagsOfSeveralServers gives every answer another entity tag, as a storage of several servers may. The hash decides.
func TestTagsOfSeveralServers(t *testing.T) {
	server, data := bigServer(t)
	server.hashes = false
	var count atomic.Int64
	server.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("X-Linked-Etag", `"`+sha256Text(data)+`"`)
		server.mutex.Lock()
		server.tags[bigPath] = fmt.Sprintf(`"%d"`, count.Add(1))
		server.mutex.Unlock()
		return false
	}
	pullWhole(t, server, testOptions(t, server.environment()), data)
	if sent := server.sentBytes(bigPath); sent != int64(len(data)) {
		t.Errorf("%d bytes were sent of %d", sent, len(data))
	}
}

func TestServerWithoutRanges(t *testing.T) {
	server, data := bigServer(t)
	var count atomic.Int64
	server.before = func(w http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Range")
		if isGet(r) && count.Add(1) == 6 {
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			_, _ = w.Write(data[:len(data)/2])
			panic(http.ErrAbortHandler)
		}
		return false
	}
	result := pullWhole(t, server, testOptions(t, server.environment()), data)
	wantNoRemains(t, result.Dir)
}

func TestServerWithoutHead(t *testing.T) {
	server, data := bigServer(t)
	server.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return true
		}
		return false
	}
	pullWhole(t, server, testOptions(t, server.environment()), data)
}

// TestResumeAfterCancel breaks a pull off half way and counts what the next one fetches.
func TestResumeAfterCancel(t *testing.T) {
	server, data := bigServer(t)
	options := testOptions(t, server.environment())
	options.Connections = 2
	pullUntilCancelled(t, server, options)
	dir := filepath.Join(options.Dir, "big")
	if exists(filepath.Join(dir, "big.pth")) || !exists(filepath.Join(dir, "big.pth"+partSuffix)) {
		t.Fatal("the partial file is not where it should be")
	}
	first := server.sentBytes(bigPath)
	pullWhole(t, server, options, data)
	if second := server.sentBytes(bigPath) - first; second > int64(len(data))-6*(64<<10) {
		t.Errorf("%d bytes the first time, %d the second, of %d", first, second, len(data))
	}
}

// TestResumeOfChangedFile finds, on resuming, that the file is another.
func TestResumeOfChangedFile(t *testing.T) {
	server, _ := bigServer(t)
	options := testOptions(t, server.environment())
	pullUntilCancelled(t, server, options)
	changed := randomBytes(8, 20*(64<<10)+17)
	server.put(bigPath, changed)
	pullWhole(t, server, options, changed)
}

// TestDamagedState overwrites the note beside a partial file with nonsense and with claims that are not true.
func TestDamagedState(t *testing.T) {
	for name, state := range map[string]string{
		"nonsense": "{", "too long": `{"size":1310737,"done":[{"start":0,"end":99999999}]}`,
		"out of order": `{"done":[{"start":10,"end":5}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			server, data := bigServer(t)
			options := testOptions(t, server.environment())
			dir := filepath.Join(options.Dir, "big")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for file, content := range map[string]string{"big.pth" + partSuffix: "wrong", "big.pth" + stateSuffix: state, "pull.json": "[]"} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			pullWhole(t, server, options, data)
		})
	}
}

// pullInChild pulls in a process of its own, which the test kills.
func pullInChild() {
	client, err := New(Options{
		Dir: os.Getenv("HUB_TEST_DIR"), ChunkBytes: 64 << 10, Connections: 2,
		Environment: &Environment{Endpoint: DefaultEndpoint, LavisEndpoint: DefaultLavisEndpoint},
	})
	if err == nil {
		_, err = client.Pull(context.Background(), os.Getenv("HUB_TEST_CHILD"))
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("complete")
}

// TestKill kills pulls with SIGKILL at moments of the server's choosing until one completes, and checks that all of them
// together fetch little more than the file.
func TestKill(t *testing.T) {
	server, data := bigServer(t)
	dir := t.TempDir()
	var count atomic.Int64
	reached := make(chan struct{}, 100)
	server.mutex.Lock() // the requests come from another process
	server.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if isGet(r) && count.Add(1)%7 == 0 {
			reached <- struct{}{}
			<-r.Context().Done()
		}
		return false
	}
	server.mutex.Unlock()
	kills := 0
	for {
		if kills > 30 {
			t.Fatal("no pull completes")
		}
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), "HUB_TEST_CHILD="+server.URL+bigPath, "HUB_TEST_DIR="+dir)
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan string)
		go func() {
			line, _ := bufio.NewReader(output).ReadString('\n')
			ended <- line
		}()
		select {
		case <-reached:
			kills++
			if err := child.Process.Kill(); err != nil {
				t.Error(err)
			}
			<-ended
			_ = child.Wait()
			if exists(filepath.Join(dir, "big", "big.pth")) {
				t.Error("the file has its name before it is complete")
			}
			continue
		case line := <-ended:
			_ = child.Wait()
			if line != "complete\n" {
				t.Fatalf("child: %q", line)
			}
		}
		break
	}
	wantFile(t, filepath.Join(dir, "big", "big.pth"), data)
	wantNoRemains(t, filepath.Join(dir, "big"))
	if sent := server.sentBytes(bigPath); kills < 2 || sent > int64(len(data))+int64(kills)*2*(64<<10) {
		t.Errorf("%d kills, %d bytes sent of %d", kills, sent, len(data))
	}
}
