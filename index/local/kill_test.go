package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/internal/testsize"
)

// The child of TestKill is this test binary with these variables set.
const (
	killFolder = "MEKIKI_TEST_KILL_FOLDER"
	killSeed   = "MEKIKI_TEST_KILL_SEED"
	killTrials = "MEKIKI_TEST_KILL_TRIALS"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(killFolder); folder != "" {
		if err := killChild(folder, os.Getenv(killSeed)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// bleve starts these when it is imported.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"))
}

// killOptions has codes and a graph saved, however few pictures there are.
func killOptions(options Options) Options {
	options.keptVectors, options.approximateFrom = 1, 6
	return options
}

// killChild changes a library at random for ever, and says before each change
// what it begins and after it what is durable.
func killChild(folder, seed string) error {
	number, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(number, 3))
	library, err := Open(context.Background(), folder, killOptions(Options{CheckpointBytes: 20_000, SegmentBytes: 8_000}))
	if err != nil {
		return err
	}
	tb := &refusals{}
	for {
		var numbers []uint64
		for range 1 + random.IntN(4) {
			numbers = append(numbers, random.Uint64N(60))
		}
		var change step
		switch random.IntN(12) {
		case 0:
			change = compactStep()
		case 1:
			change = switchStep()
		case 2:
			change = rollbackStep()
		case 3, 4, 5, 6:
			change = removeStep(numbers...)
		default:
			change = putStep(numbers...)
		}
		verb, _, _ := strings.Cut(change.name, " [")
		fmt.Printf("begin %s %s\n", strings.ReplaceAll(verb, " ", ""), strings.Trim(fmt.Sprint(numbers), "[]"))
		err := change.do(tb, library)
		if err != nil && !errors.Is(err, index.ErrSpace) {
			return err
		}
		if err == nil {
			fmt.Println("done")
		} else {
			fmt.Println("refused")
		}
	}
}

// TestKill kills a process that changes a library, at random moments, again and
// again: what it said was durable must be there, and every answer must equal
// that of a library built at once. MEKIKI_TEST_KILL_TRIALS sets the number.
func TestKill(t *testing.T) {
	trials := 50
	if testing.Short() {
		trials = 5
	}
	trials = testsize.Of(t, killTrials, trials)
	folder := filepath.Join(t.TempDir(), "library")
	known := newOracle()
	random := rand.New(rand.NewPCG(uint64(trials), 11))
	changes := 0
	for trial := range trials {
		changes += killOnce(t, folder, trial, time.Duration(20+random.IntN(250))*time.Millisecond, known)
		library, err := Open(t.Context(), folder, killOptions(Options{}))
		if err != nil {
			t.Fatalf("trial %d: open: %v", trial, err)
		}
		if findings := library.Findings(); len(findings) > 0 {
			t.Fatalf("trial %d: %+v", trial, findings)
		}
		if err := known.verify(t, library); err != nil {
			t.Fatalf("trial %d: %v", trial, err)
		}
		known.settle(library)
		if err := library.Close(); err != nil {
			t.Fatalf("trial %d: close: %v", trial, err)
		}
	}
	t.Logf("%d trials, %d acknowledged changes", trials, changes)
}

// settle takes what is unknown from the library, which was just verified.
func (o *oracle) settle(library *Library) {
	snapshot := library.Snapshot()
	defer snapshot.Close()
	for number := range o.images {
		o.images[number] = absent
		if _, there := snapshot.recordByPath(indextest.File(number).Path); there {
			o.images[number] = present
		}
	}
	o.serves = absent
	if space, _ := snapshot.Space(); space == second {
		o.serves = present
	}
}

// killOnce runs a child for a while, kills it, and tells the oracle what it
// said. It gives the number of acknowledged changes.
func killOnce(t *testing.T, folder string, seed int, life time.Duration, known *oracle) int {
	t.Helper()
	executable, err := os.Executable()
	indextest.Must(t, err)
	child := exec.CommandContext(t.Context(), executable)
	child.Env = append(os.Environ(), killFolder+"="+folder, killSeed+"="+strconv.Itoa(seed))
	output, err := child.StdoutPipe()
	indextest.Must(t, err)
	var complaints strings.Builder
	child.Stderr = &complaints
	indextest.Must(t, child.Start())
	timer := time.AfterFunc(life, func() { _ = child.Process.Kill() })
	defer timer.Stop()
	acknowledged, err := followChild(output, known)
	indextest.Must(t, err)
	if err := child.Wait(); complaints.Len() > 0 {
		t.Fatalf("the child failed: %v: %s", err, complaints.String())
	}
	return acknowledged
}

// followChild tells the oracle of each change that the child begins and ends.
func followChild(output io.Reader, known *oracle) (acknowledged int, err error) {
	var change *step
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0:
		case words[0] == "begin" && len(words) > 1:
			begun, err := parseChange(words[1:])
			if err != nil {
				return acknowledged, err
			}
			change = &begun
			change.note(known, errors.New("under way"))
		case words[0] == "done" && change != nil:
			acknowledged++
			change.note(known, nil)
			change = nil
		}
	}
	return acknowledged, nil
}

func parseChange(words []string) (step, error) {
	var numbers []uint64
	for _, word := range words[1:] {
		number, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			break // the line was cut by the kill; what it begins has not begun
		}
		numbers = append(numbers, number)
	}
	switch words[0] {
	case "put":
		return putStep(numbers...), nil
	case "remove":
		return removeStep(numbers...), nil
	case "compact":
		return compactStep(), nil
	case "switch":
		return switchStep(), nil
	case "rollback":
		return rollbackStep(), nil
	}
	return step{note: func(*oracle, error) {}}, nil
}
