package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mekiki/embed/ort/orttest"
	"mekiki/internal/testsize"
)

// killsVariable sets how often TestKillsOverHTTP kills the server.
const killsVariable = "MEKIKI_TEST_KILLS"

// killed is a server in a process of its own that is killed again and again, and
// what those who wrote to it know.
type killed struct {
	*testing.T
	program, folder, runtime string
	address                  string
	process                  *exec.Cmd
	client                   *http.Client
	writers                  []*killedWriter
	acknowledged             atomic.Int64
}

// killedWriter has pictures and texts of its own, so that it knows what must be in
// the library.
type killedWriter struct {
	pictures []*killedItem
	texts    []*killedItem
}

// killedItem is a picture or a text, and the states that it may be in: one, unless
// the server was killed during a change. A state is nil when the item is not in the
// library, else the tags of a picture, or the text.
type killedItem struct {
	data []byte // of a picture
	name string // of a picture its hash, of a text its external id
	id   string
	may  [][]string
}

const (
	killedWriters  = 4
	killedPictures = 10 // of each writer, and as many texts
)

// TestKillsOverHTTP kills a server at random moments while others upload, tag,
// write texts and delete. After each start all that was acknowledged is there,
// with its original, nothing that was acknowledged is undone, and no file is left
// over.
func TestKillsOverHTTP(t *testing.T) {
	count := 5
	if testing.Short() {
		count = 2
	}
	count = testsize.Of(t, killsVariable, count)
	k := newKilled(t)
	random := rand.New(rand.NewPCG(uint64(count), 8))
	for number := range count {
		k.start()
		k.verify(number)
		if t.Failed() {
			t.FailNow()
		}
		life, end := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for i, writer := range k.writers {
			seed := rand.New(rand.NewPCG(uint64(number), uint64(i)))
			group.Go(func() { writer.write(life, k, seed) })
		}
		time.Sleep(time.Duration(20+random.IntN(600)) * time.Millisecond)
		_ = k.process.Process.Kill()
		_ = k.process.Wait()
		end()
		group.Wait()
		k.client.CloseIdleConnections()
	}
	k.start()
	k.verify(count)
	t.Logf("%d kills, %d changes acknowledged", count, k.acknowledged.Load())
}

func newKilled(t *testing.T) *killed {
	t.Helper()
	k := &killed{T: t, folder: t.TempDir(), runtime: orttest.Open(t).LibraryPath()}
	k.program = program(t)
	k.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: time.Minute}
	random := rand.New(rand.NewPCG(1, 2))
	for w := range killedWriters {
		writer := &killedWriter{}
		for i := range killedPictures {
			data := randomPicture(t, random)
			sum := sha256.Sum256(data)
			writer.pictures = append(writer.pictures, &killedItem{data: data, name: hex.EncodeToString(sum[:]), may: [][]string{nil}})
			writer.texts = append(writer.texts, &killedItem{name: fmt.Sprintf("text-%d-%d", w, i), may: [][]string{nil}})
		}
		k.writers = append(k.writers, writer)
	}
	t.Cleanup(func() {
		if k.process != nil {
			_ = k.process.Process.Kill()
			_ = k.process.Wait()
		}
	})
	return k
}

func randomPicture(t *testing.T, random *rand.Rand) []byte {
	t.Helper()
	canvas := image.NewGray(image.Rect(0, 0, 48, 32))
	for at := range canvas.Pix {
		canvas.Pix[at] = uint8(random.IntN(256))
	}
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, canvas); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// start starts the server and waits until it is ready.
func (k *killed) start() {
	k.Helper()
	k.process = exec.Command(k.program, "serve", "--json", "--addr", "127.0.0.1:0", "--cache", filepath.Join(k.folder, "cache"), "--library", filepath.Join(k.folder, "library"),
		"--runtime", k.runtime, "--no-captions", "--threads", "1", "--searches", "16", "--log-level", "warn")
	k.process.Env = append(os.Environ(), "MEKIKI_CONFIG="+filepath.Join(k.folder, "config.toml"))
	var complaints bytes.Buffer
	k.process.Stderr = &complaints
	out, err := k.process.StdoutPipe()
	if err == nil {
		err = k.process.Start()
	}
	if err != nil {
		k.Fatal(err)
	}
	var message struct {
		Address string `json:"address"`
	}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&message); err != nil {
		_ = k.process.Wait()
		k.Fatalf("the server does not start: %v\n%s", err, complaints.Bytes())
	}
	k.address = strings.TrimSuffix(message.Address, "/")
	if status, body := k.ask(k.Context(), http.MethodGet, "/readyz", nil, ""); status != http.StatusOK {
		k.Fatalf("the server is not ready: %d %s", status, body)
	}
}

// ask sends a request; the status is 0 when the server is gone.
func (k *killed) ask(ctx context.Context, method, path string, body io.Reader, kind string) (int, []byte) {
	request, err := http.NewRequestWithContext(ctx, method, k.address+path, body)
	if err != nil {
		k.Error(err)
		return 0, nil
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := k.client.Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil
	}
	return response.StatusCode, data
}

// killedRecord is what a record's JSON tells.
type killedRecord struct {
	ID         string   `json:"id"`
	Hash       string   `json:"hash"`
	Paths      []string `json:"paths"`
	Name       string   `json:"name"`
	Tags       []string `json:"tags"`
	Text       string   `json:"text"`
	ExternalID string   `json:"external_id"`
}

// verify compares the library with what the writers know.
func (k *killed) verify(number int) {
	k.Helper()
	status, body := k.ask(k.Context(), http.MethodGet, "/api/v1/records?limit=500", nil, "")
	var list struct {
		Records []killedRecord `json:"records"`
		Next    string         `json:"next"`
	}
	if err := json.Unmarshal(body, &list); err != nil || status != http.StatusOK || list.Next != "" {
		k.Fatalf("kill %d: list: %d, %v", number, status, err)
	}
	found, named := map[string]killedRecord{}, map[string]bool{}
	for _, record := range list.Records {
		if record.ExternalID != "" {
			found[record.ExternalID] = record
			continue
		}
		found[record.Hash] = record
		for _, path := range record.Paths {
			named[path] = true
		}
	}
	for _, writer := range k.writers {
		for _, item := range writer.pictures {
			record, there := found[item.name]
			if k.settle(number, item, record, there, append([]string{}, record.Tags...)) {
				k.checkOriginal(number, item, record)
			}
		}
		for _, item := range writer.texts {
			record, there := found[item.name]
			k.settle(number, item, record, there, []string{record.Text})
		}
	}
	k.checkFolder(number, named)
}

// settle fails unless an item is in a state that it may be in, and makes that the
// only one. It reports whether the item is there.
func (k *killed) settle(number int, item *killedItem, record killedRecord, there bool, state []string) bool {
	k.Helper()
	if !there {
		state = nil
	}
	if !slices.ContainsFunc(item.may, func(may []string) bool { return reflect.DeepEqual(may, state) }) {
		k.Errorf("kill %d: %s is %q, and may be %q", number, item.name, state, item.may)
	}
	item.may, item.id = [][]string{state}, record.ID
	return there
}

func (k *killed) checkOriginal(number int, item *killedItem, record killedRecord) {
	k.Helper()
	status, data := k.ask(k.Context(), http.MethodGet, "/api/v1/records/"+record.ID+"/original", nil, "")
	if status != http.StatusOK || !bytes.Equal(data, item.data) {
		k.Errorf("kill %d: the original of record %s: status %d, %d bytes of %d", number, record.ID, status, len(data), len(item.data))
	}
	if record.Name != "killed/picture.png" {
		k.Errorf("kill %d: record %s is called %q", number, record.ID, record.Name)
	}
}

// checkFolder looks for files that no record names.
func (k *killed) checkFolder(number int, named map[string]bool) {
	k.Helper()
	err := filepath.WalkDir(filepath.Join(k.folder, "library-uploads"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !named[path] {
			k.Errorf("kill %d: no record names %s", number, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.Error(err)
	}
	if aside, err := filepath.Glob(filepath.Join(k.folder, "library", "quarantine", "uploads", "*")); err != nil || len(aside) > 0 {
		k.Errorf("kill %d: put aside: %v, %v", number, aside, err)
	}
}
