package renditions

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/indextest"
)

// killFolder names the folder that a process, which the test kills, writes into.
const killFolder = "MEKIKI_TEST_RENDITIONS"

func TestMain(m *testing.M) {
	if folder := os.Getenv(killFolder); folder != "" {
		writeForEver(folder)
	}
	os.Exit(m.Run())
}

// writeForEver writes files of the cache, the same names again and again.
func writeForEver(folder string) {
	files := newCache(filepath.Join(folder, "renditions"), folder, 4<<20)
	for number := 0; ; number++ {
		content := bytes.Repeat([]byte{byte(number)}, 100_000+number%1000)
		err := files.write(index.Hash{byte(number % 50)}, tilesSuffix, func(to io.Writer) error {
			pack := packWriter{to: to}
			for range 5 {
				if err := pack.add(content); err != nil {
					return err
				}
			}
			return pack.close()
		})
		if err != nil {
			panic(err)
		}
	}
}

// TestKill: whenever a process is killed, each file of the cache is whole or not there.
func TestKill(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	folder := t.TempDir()
	files := newCache(filepath.Join(folder, "renditions"), folder, 4<<20)
	found := 0
	for range rounds {
		ctx, kill := context.WithCancel(t.Context())
		process := exec.CommandContext(ctx, os.Args[0])
		process.Env = append(os.Environ(), killFolder+"="+folder)
		indextest.Must(t, process.Start())
		time.Sleep(time.Duration(50+rand.IntN(200)) * time.Millisecond)
		kill()
		_ = process.Wait() // it was killed
		for number := range 50 {
			for part := range 5 {
				content, err := files.read(index.Hash{byte(number)}, tilesSuffix, part)
				if os.IsNotExist(err) {
					continue
				}
				indextest.Must(t, err)
				if found++; len(bytes.Trim(content, string(content[:1]))) > 0 {
					t.Fatalf("file %d has parts of two", number)
				}
			}
		}
	}
	if found == 0 {
		t.Error("nothing was written")
	}
}
