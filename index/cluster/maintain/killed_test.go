package maintain

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/cluster"
	"mekiki/index/cluster/engine"
	"mekiki/index/indextest"
)

// writerVariable has what a writing process needs to know, as JSON: this program is one where it is set.
const writerVariable = "MEKIKI_TEST_WRITER"

type writer struct {
	Store, Engine string
	From          uint64
}

// perBatch is how many images a writer writes at once.
const perBatch = 7

// run writes images until it is killed, and says after each batch how many are acknowledged.
func (w writer) run(t *testing.T) {
	client, err := engine.Open(engine.Options{Addresses: []string{w.Engine}})
	indextest.Must(t, err)
	library, err := cluster.Open(t.Context(), places{store: openStoreAt(t, w.Store), client: client}.options())
	indextest.Must(t, err)
	for number := w.From; ; number += perBatch {
		var batch index.Batch
		for i := range uint64(perBatch) {
			batch.Puts = append(batch.Puts, indextest.Image(t, number+i, indextest.Small))
		}
		_, err := library.Write(t.Context(), batch)
		indextest.Must(t, err)
		fmt.Println(number + perBatch)
	}
}

// TestWriterIsKilled kills a process that writes, again and again, at any moment, and starts it again
// with what was not acknowledged: no acknowledged image is lost, none is there twice, and store and engine agree.
// MEKIKI_TEST_SCALE says how many tens of times.
func TestWriterIsKilled(t *testing.T) {
	if said := os.Getenv(writerVariable); said != "" {
		var w writer
		indextest.Must(t, json.Unmarshal([]byte(said), &w))
		w.run(t)
	}
	p := start(t)
	library := p.open(t)
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	next, kills := uint64(0), 10*indextest.Scale(t)
	for range kills {
		said, err := json.Marshal(writer{p.storeAt, p.engineAt, next})
		indextest.Must(t, err)
		child := exec.Command(os.Args[0], "-test.run", "^TestWriterIsKilled$")
		child.Env, child.Stderr = append(os.Environ(), writerVariable+"="+string(said)), os.Stderr
		output, err := child.StdoutPipe()
		indextest.Must(t, err)
		indextest.Must(t, child.Start())
		kill := time.AfterFunc(time.Duration(100+rand.IntN(400))*time.Millisecond, func() { _ = child.Process.Kill() })
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if next, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
				t.Fatal(lines.Text()) // the writer failed
			}
		}
		if err := child.Wait(); err == nil || kill.Stop() {
			t.Fatalf("the writer ended by itself: %v", err)
		}
	}
	// What was not acknowledged is written again, as an ingester does that is run again.
	fill(t, library, next/10*10, next/10*10+10)
	report, err := Check(t.Context(), library, CheckOptions{Tokens: true})
	indextest.Must(t, err)
	t.Logf("%d kills, %d images acknowledged; %+v", kills, next, report)
	reader, err := library.Reader(t.Context())
	indextest.Must(t, err)
	defer reader.Close()
	hashes := make([]index.Hash, next)
	for number := range next {
		hashes[number] = indextest.Image(t, number, indextest.Small).Record.Hash
	}
	found, err := reader.RecordsByHash(t.Context(), hashes)
	indextest.Must(t, err)
	lost, ids := 0, map[index.ID]bool{}
	for _, record := range found {
		if record == nil || ids[record.ID] {
			lost++
			continue
		}
		ids[record.ID] = true
	}
	if lost > 0 || report.Damaged.Count+report.Extra.Count > 0 {
		t.Errorf("%d of %d acknowledged images are lost; %+v", lost, next, report)
	}
}
