package embed

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const (
	wordStart = 0
	wordEnd   = 1
	words     = 5 // in all, with start and end
)

// table is a language model whose next-token logits depend on all tokens so far,
// by a hash; row state is kept as the tokens themselves.
type table struct {
	seed uint64
	rows [][]int64
	fail error
}

func newTable(seed uint64, images int) *table {
	return &table{seed: seed, rows: make([][]int64, images)}
}

func (m *table) Step(_ context.Context, tokens []int64, position int) ([]float32, error) {
	if m.fail != nil {
		return nil, m.fail
	}
	if len(tokens) != len(m.rows) {
		return nil, errors.New("one token for each row is wanted")
	}
	var logits []float32
	for row, token := range tokens {
		if len(m.rows[row]) != position {
			return nil, errors.New("a row has another length than its position")
		}
		m.rows[row] = append(slices.Clone(m.rows[row]), token)
		logits = append(logits, m.logits(m.rows[row])...)
	}
	return logits, nil
}

func (m *table) Gather(parents []int) {
	rows := make([][]int64, len(parents))
	for row, parent := range parents {
		rows[row] = m.rows[parent]
	}
	m.rows = rows
}

// logits of the token after these.
func (m *table) logits(tokens []int64) []float32 {
	hash := m.seed
	for _, token := range tokens {
		hash = (hash ^ uint64(token+1)) * 0x100000001b3
	}
	random := rand.New(rand.NewPCG(hash, 1))
	logits := make([]float32, words)
	for i := range logits {
		logits[i] = float32(random.NormFloat64() * 2)
	}
	return logits
}

func newSearch(options CaptionOptions) search {
	return search{options: options.withDefaults(), start: wordStart, end: wordEnd, vocabulary: words}
}

func (s search) one(t *testing.T, seed uint64) []hypothesis {
	t.Helper()
	found, err := s.run(t.Context(), newTable(seed, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	return found[0]
}

// every lists all captions of at most the given length with their log-probabilities.
func every(model *table, maximum int) []hypothesis {
	var list []hypothesis
	var visit func(h hypothesis)
	visit = func(h hypothesis) {
		if h.tokens[len(h.tokens)-1] == wordEnd || len(h.tokens) == maximum {
			list = append(list, h)
			return
		}
		logits := model.logits(h.tokens)
		total := logSumExp(logits)
		for token, logit := range logits {
			score := float64(logit) - total
			visit(h.extend(choice{token: int64(token), logProbability: score, score: score}))
		}
	}
	visit(hypothesis{tokens: []int64{wordStart}})
	return list
}

func TestWideBeamsFindTheBest(t *testing.T) {
	const maximum = 4
	for seed := range uint64(50) {
		for _, penalty := range []float64{-1, 1} {
			s := newSearch(CaptionOptions{Method: Beam, Beams: 64, Count: 64, MaximumLength: maximum, LengthPenalty: penalty})
			all := every(newTable(seed, 1), maximum)
			slices.SortFunc(all, func(a, b hypothesis) int { return cmp.Compare(s.normalized(b), s.normalized(a)) })
			for rank, got := range s.one(t, seed)[:5] {
				if !slices.Equal(got.tokens, all[rank].tokens) || math.Abs(got.logProbability-all[rank].logProbability) > 1e-9 {
					t.Fatalf("seed %d, penalty %g, rank %d: %v, want %v", seed, penalty, rank, got, all[rank])
				}
			}
		}
	}
}

func TestGreedyTakesTheLikeliest(t *testing.T) {
	for seed := range uint64(50) {
		model := newTable(seed, 1)
		want := []int64{wordStart}
		for len(want) < 30 && want[len(want)-1] != wordEnd {
			logits := model.logits(want)
			want = append(want, int64(slices.Index(logits, slices.Max(logits))))
		}
		for name, options := range map[string]CaptionOptions{
			"greedy": {}, "one beam": {Method: Beam, Beams: 1}, "narrow nucleus": {Method: Nucleus, TopP: 1e-6},
		} {
			got := newSearch(options).one(t, seed)
			if name == "one beam" && len(got[0].tokens) < len(want) {
				continue // a beam may prefer what ended early
			}
			if !slices.Equal(got[0].tokens, want) {
				t.Errorf("seed %d: %s gave %v, want %v", seed, name, got[0].tokens, want)
			}
		}
	}
}

func TestSideBySideEqualsAlone(t *testing.T) {
	for _, options := range []CaptionOptions{
		{}, {Method: Beam, Beams: 3, Count: 3}, {Method: Nucleus, Count: 4, Seed: 9}, {Method: Beam, MinimumLength: 6, NoRepeat: 2},
	} {
		s := newSearch(options)
		// The rows of the table tell images apart by a first token of their own.
		together := &table{seed: 3, rows: [][]int64{{}, {}, {}}}
		found, err := s.run(t.Context(), together, 3)
		if err != nil {
			t.Fatal(err)
		}
		alone := s.one(t, 3)
		for i := range found {
			if len(found[i]) != len(alone) {
				t.Fatalf("%+v: image %d has %d captions, want %d", options, i, len(found[i]), len(alone))
			}
			for rank := range alone {
				if !slices.Equal(found[i][rank].tokens, alone[rank].tokens) {
					t.Errorf("%+v: image %d rank %d: %v, want %v", options, i, rank, found[i][rank].tokens, alone[rank].tokens)
				}
			}
		}
	}
}

func TestLengthsAndRepeats(t *testing.T) {
	for seed := range uint64(50) {
		for _, method := range []Method{Greedy, Beam, Nucleus} {
			s := newSearch(CaptionOptions{Method: method, MinimumLength: 5, MaximumLength: 9, NoRepeat: 2, RepetitionPenalty: 1.3, Seed: seed})
			for _, got := range s.one(t, seed) {
				ended := got.tokens[len(got.tokens)-1] == wordEnd
				if len(got.tokens) > 9 || (ended && len(got.tokens) < 6) || (!ended && len(got.tokens) != 9) {
					t.Errorf("seed %d, %s: length of %v", seed, method, got.tokens)
				}
				pairs := map[[2]int64]bool{}
				for i := 1; i < len(got.tokens); i++ {
					pair := [2]int64{got.tokens[i-1], got.tokens[i]}
					if pairs[pair] {
						t.Errorf("seed %d, %s: %v repeats %v", seed, method, got.tokens, pair)
					}
					pairs[pair] = true
				}
			}
		}
	}
}

func TestLogProbabilityIsTheModels(t *testing.T) {
	for seed := range uint64(20) {
		for _, options := range []CaptionOptions{
			{}, {Method: Beam, Count: 3, RepetitionPenalty: 2}, {Method: Nucleus, Count: 3, MinimumLength: 4},
		} {
			for _, got := range newSearch(options).one(t, seed) {
				want := 0.0
				for i := 1; i < len(got.tokens); i++ {
					logits := newTable(seed, 1).logits(got.tokens[:i])
					want += float64(logits[got.tokens[i]]) - logSumExp(logits)
				}
				if math.Abs(got.logProbability-want) > 1e-9 {
					t.Errorf("%v has log-probability %g, want %g", got.tokens, got.logProbability, want)
				}
			}
		}
	}
}

func TestRepetitionPenalty(t *testing.T) {
	s := newSearch(CaptionOptions{RepetitionPenalty: 2})
	d, err := s.score(hypothesis{tokens: []int64{2, 3, 2}}, []float32{1, 1, 4, -1, 1})
	if want := []float32{1, 1, 2, -2, 1}; err != nil || !slices.Equal(d.adjusted, want) {
		t.Errorf("adjusted to %v, %v; want %v", d.adjusted, err, want)
	}
}

func TestNucleusDrawsInProportion(t *testing.T) {
	logits := []float32{float32(math.Log(0.5)), float32(math.Log(0.3)), float32(math.Log(0.15)), float32(math.Log(0.05))}
	d := distribution{logits: logits, adjusted: logits, logTotal: logSumExp(logits), adjustedTotal: logSumExp(logits)}
	random := rand.New(rand.NewPCG(1, 2))
	const draws = 20_000
	var counts [4]int
	for range draws {
		counts[d.draw(random, 0.9).token]++
	}
	for token, want := range []float64{0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0} {
		if got := float64(counts[token]) / draws; math.Abs(got-want) > 0.015 {
			t.Errorf("token %d was drawn %.3f of the time, want %.3f", token, got, want)
		}
	}
}

func TestSeedsRepeat(t *testing.T) {
	draw := func(seed uint64) []hypothesis {
		return newSearch(CaptionOptions{Method: Nucleus, TopP: 1, Count: 8, Seed: seed}).one(t, 4)
	}
	first, again, other := draw(1), draw(1), draw(2)
	equal := func(a, b []hypothesis) bool {
		return slices.EqualFunc(a, b, func(a, b hypothesis) bool { return slices.Equal(a.tokens, b.tokens) })
	}
	if !equal(first, again) {
		t.Error("one seed gives different captions")
	}
	if equal(first, other) {
		t.Error("two seeds give the same captions")
	}
}

func TestTop(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		values := make([]float32, 1+random.IntN(40))
		for i := range values {
			values[i] = float32(random.IntN(10))
		}
		order := make([]int, len(values))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[b], values[a]) })
		count := 1 + random.IntN(12)
		got := distribution{logits: values, adjusted: values}.top(count)
		for rank, want := range order[:min(count, len(order))] {
			if int(got[rank].token) != want {
				t.Fatalf("top %d of %v: %v, want %v", count, values, got, order)
			}
		}
	}
}

func TestSearchReportsTrouble(t *testing.T) {
	broken := errors.New("broken")
	if _, err := newSearch(CaptionOptions{}).run(t.Context(), &table{rows: make([][]int64, 1), fail: broken}, 1); !errors.Is(err, broken) {
		t.Errorf("run: %v", err)
	}
	for _, logits := range [][]float32{{1, float32(math.NaN())}, {float32(math.Inf(1)), 0}} {
		if _, err := newSearch(CaptionOptions{}).score(hypothesis{}, logits); !errors.Is(err, errNotANumber) {
			t.Errorf("score of %v: %v", logits, err)
		}
	}
}

func TestCaptionOptionsAreChecked(t *testing.T) {
	for _, options := range []CaptionOptions{
		{Method: "best"}, {Count: 2}, {Count: -1}, {Method: Beam, Beams: 65}, {Method: Beam, Beams: 2, Count: 3}, {Method: Beam, Beams: -1},
		{MaximumLength: 1}, {MaximumLength: 513}, {MinimumLength: 31}, {MinimumLength: -1}, {TopP: 1.5}, {TopP: -1}, {TopP: math.NaN()},
		{RepetitionPenalty: 0.5}, {RepetitionPenalty: math.NaN()}, {NoRepeat: -1}, {LengthPenalty: 11}, {LengthPenalty: math.NaN()},
	} {
		if options.Validate() == nil {
			t.Errorf("%+v was accepted", options)
		}
	}
	for _, options := range []CaptionOptions{{}, {Method: Beam, Count: 5}, {Method: Nucleus, Count: 10}, {MinimumLength: 10, MaximumLength: 30}} {
		if err := options.Validate(); err != nil {
			t.Errorf("%+v: %v", options, err)
		}
	}
}
