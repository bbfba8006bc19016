package index

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReaderFollows: after each of many random changes by the writer, with
// short logs and segments, a reader answers as the writer does, and reads the
// library anew only where another space serves or compaction has taken the log
// away.
func TestReaderFollows(t *testing.T) {
	steps := 30
	if testing.Short() {
		steps = 10
	}
	for seed := range uint64(3) {
		folder := filepath.Join(t.TempDir(), "library")
		writer := openTest(t, folder, Options{CheckpointBytes: 9000, SegmentBytes: 3000})
		fill(t, writer, 4)
		reader := openTest(t, folder, Options{ReadOnly: true})
		oracle := newOracle()
		for number := range uint64(4) {
			oracle.images[number] = present
		}
		random := rand.New(rand.NewPCG(seed, 3))
		for i := range steps {
			step := randomStep(random)
			before := reader.derived
			serves := servingOf(reader)
			compacted := false
			// Not every commit is followed by itself.
			for range 1 + random.IntN(3) {
				mustDo(t, step.do(t, writer))
				step.note(oracle, nil)
				compacted = compacted || step.name == "compact"
				step = randomStep(random)
			}
			if _, err := reader.Refresh(t.Context()); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
			if reader.derived != before && servingOf(reader) == serves && !compacted {
				t.Errorf("seed %d, step %d: the reader read everything again", seed, i)
			}
			if diff := cmp.Diff(answers(t, writer), answers(t, reader)); diff != "" {
				t.Fatalf("seed %d, step %d: the reader differs from the writer:\n%s", seed, i, diff)
			}
			if err := oracle.verify(t, reader); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
		}
	}
}

func randomStep(random *rand.Rand) step {
	number := random.Uint64N(12)
	switch random.IntN(12) {
	case 0:
		return compactStep()
	case 1:
		return switchStep()
	case 2:
		return rollbackStep()
	case 3, 4, 5:
		return removeStep(number)
	}
	return putStep(number, number+1)
}

func servingOf(l *Library) string {
	snapshot := l.Snapshot()
	defer snapshot.Close()
	space, _ := snapshot.Space()
	return space.String()
}

// TestReaderFindsAnotherLibrary: a library that was deleted and made again under
// a reader is read anew.
func TestReaderFindsAnotherLibrary(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	first, err := Open(t.Context(), folder, Options{})
	mustDo(t, err)
	fill(t, first, 6)
	reader := openTest(t, folder, Options{ReadOnly: true})
	mustDo(t, first.Close())
	mustDo(t, os.RemoveAll(folder))
	second := openTest(t, folder, Options{})
	fill(t, second, 2)
	if _, err := reader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(answers(t, second), answers(t, reader)); diff != "" {
		t.Errorf("the reader differs:\n%s", diff)
	}
}
