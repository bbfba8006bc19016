package decode

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
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

func newTable(seed uint64, prompts int) *table {
	model := &table{seed: seed}
	for range prompts {
		model.rows = append(model.rows, []int64{wordStart})
	}
	return model
}

func (m *table) Step(_ context.Context, tokens []int64) ([]float32, error) {
	if m.fail != nil {
		return nil, m.fail
	}
	if len(tokens) != len(m.rows) {
		return nil, errors.New("one token for each row is wanted")
	}
	for row, token := range tokens {
		m.rows[row] = append(slices.Clone(m.rows[row]), token)
	}
	return m.first(), nil
}

// first returns the logits of every row's next token.
func (m *table) first() []float32 {
	var logits []float32
	for _, row := range m.rows {
		logits = append(logits, m.logits(row)...)
	}
	return logits
}

func (m *table) Gather(_ context.Context, parents []int) error {
	rows := make([][]int64, len(parents))
	for row, parent := range parents {
		rows[row] = m.rows[parent]
	}
	m.rows = rows
	return nil
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

// forms are the two ways in which beams control repetition and length.
var forms = []Search{
	{Vocabulary: words, End: []int64{wordEnd}},
	{Vocabulary: words, End: []int64{wordEnd}, PenalizeLogits: true},
}

// write runs a search over one row of the table.
func (s Search) write(t *testing.T, seed uint64, options Options) []Hypothesis {
	t.Helper()
	return s.all(t, newTable(seed, 1), options)[0]
}

func (s Search) all(t *testing.T, model *table, options Options) [][]Hypothesis {
	t.Helper()
	for range model.rows {
		s.Before = append(s.Before, []int64{wordStart})
	}
	if err := options.Validate(); err != nil {
		t.Fatal(err)
	}
	found, err := s.Run(t.Context(), model, model.first(), options)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func power(penalty float64) *float64 { return &penalty }

// every lists all texts of at most the given length with their log-probabilities.
func every(model *table, maximum int) []live {
	var list []live
	var visit func(h live)
	visit = func(h live) {
		if len(h.Tokens) > 0 && h.Tokens[len(h.Tokens)-1] == wordEnd || len(h.Tokens) == maximum {
			list = append(list, h)
			return
		}
		logits := model.logits(append([]int64{wordStart}, h.Tokens...))
		total := logSumExp(logits)
		for token, logit := range logits {
			score := float64(logit) - total
			visit(h.extend(choice{token: int64(token), logProbability: score, score: score}))
		}
	}
	visit(live{})
	return list
}

func TestWideBeamsFindTheBest(t *testing.T) {
	const maximum = 3
	for seed := range uint64(50) {
		for _, penalty := range []float64{0, 1} {
			options := Options{Method: Beam, Beams: 64, Count: 64, MaximumTokens: maximum, LengthPenalty: power(penalty)}
			all := every(newTable(seed, 1), maximum)
			slices.SortFunc(all, func(a, b live) int {
				return cmp.Compare(b.Score/math.Pow(float64(len(b.Tokens)), penalty), a.Score/math.Pow(float64(len(a.Tokens)), penalty))
			})
			for _, form := range forms {
				for rank, got := range form.write(t, seed, options)[:5] {
					if !slices.Equal(got.Tokens, all[rank].Tokens) || math.Abs(got.LogProbability-all[rank].LogProbability) > 1e-9 {
						t.Fatalf("seed %d, penalty %g, rank %d: %v, want %v", seed, penalty, rank, got, all[rank])
					}
				}
			}
		}
	}
}

func TestGreedyTakesTheLikeliest(t *testing.T) {
	for seed := range uint64(50) {
		model := newTable(seed, 1)
		var want []int64
		for len(want) < 30 && (len(want) == 0 || want[len(want)-1] != wordEnd) {
			logits := model.logits(append([]int64{wordStart}, want...))
			want = append(want, int64(slices.Index(logits, slices.Max(logits))))
		}
		for name, options := range map[string]Options{
			"greedy": {}, "one beam": {Method: Beam, Beams: 1}, "narrow nucleus": {Method: Nucleus, TopP: 1e-6},
		} {
			got := forms[0].write(t, seed, options)[0]
			if name == "one beam" && len(got.Tokens) < len(want) {
				continue // a beam may prefer what ended early
			}
			if !slices.Equal(got.Tokens, want) || got.Ended != (want[len(want)-1] == wordEnd) {
				t.Errorf("seed %d: %s gave %v, want %v", seed, name, got, want)
			}
		}
	}
}

func TestSideBySideEqualsAlone(t *testing.T) {
	for _, options := range []Options{
		{}, {Method: Beam, Beams: 3, Count: 3}, {Method: Nucleus, Count: 4, Seed: 9}, {Method: Beam, MinimumTokens: 5, NoRepeat: 2},
	} {
		for _, form := range forms {
			found := form.all(t, newTable(3, 3), options)
			alone := form.write(t, 3, options)
			for i := range found {
				if len(found[i]) != len(alone) {
					t.Fatalf("%+v: prompt %d has %d texts, want %d", options, i, len(found[i]), len(alone))
				}
				for rank := range alone {
					if !slices.Equal(found[i][rank].Tokens, alone[rank].Tokens) {
						t.Errorf("%+v: prompt %d rank %d: %v, want %v", options, i, rank, found[i][rank].Tokens, alone[rank].Tokens)
					}
				}
			}
		}
	}
}

func TestLengthsAndRepeats(t *testing.T) {
	for seed := range uint64(50) {
		for _, method := range []Method{Greedy, Beam, Nucleus} {
			options := Options{Method: method, MinimumTokens: 4, MaximumTokens: 8, NoRepeat: 2, RepetitionPenalty: 1.3, Seed: seed}
			for _, got := range forms[seed%2].write(t, seed, options) {
				if len(got.Tokens) > 8 || (got.Ended && len(got.Tokens) < 5) || (!got.Ended && len(got.Tokens) != 8) {
					t.Errorf("seed %d, %s: length of %v", seed, method, got)
				}
				pairs := map[[2]int64]bool{}
				written := append([]int64{wordStart}, got.Tokens...)
				for i := 1; i < len(written); i++ {
					pair := [2]int64{written[i-1], written[i]}
					if pairs[pair] {
						t.Errorf("seed %d, %s: %v repeats %v", seed, method, written, pair)
					}
					pairs[pair] = true
				}
			}
		}
	}
}

func TestLogProbabilityIsTheModels(t *testing.T) {
	for seed := range uint64(20) {
		for _, options := range []Options{
			{}, {Method: Beam, Count: 3, RepetitionPenalty: 2}, {Method: Nucleus, Count: 3, MinimumTokens: 3, Temperature: 2},
		} {
			for _, got := range forms[seed%2].write(t, seed, options) {
				want, written := 0.0, []int64{wordStart}
				for _, token := range got.Tokens {
					logits := newTable(seed, 1).logits(written)
					want += float64(logits[token]) - logSumExp(logits)
					written = append(written, token)
				}
				if math.Abs(got.LogProbability-want) > 1e-9 {
					t.Errorf("%v has log-probability %g, want %g", got.Tokens, got.LogProbability, want)
				}
			}
		}
	}
}

func scored(t *testing.T, s Search, options Options, before, tokens []int64, logits []float32) distribution {
	t.Helper()
	if s.Words == 0 {
		s.Words = s.Vocabulary
	}
	d, err := run{Search: s, options: options.WithDefaults()}.score(before, tokens, logits)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRepetitionPenalty(t *testing.T) {
	d := scored(t, forms[0], Options{RepetitionPenalty: 2}, []int64{2}, []int64{3, 2, 99}, []float32{1, 1, 4, -1, 1})
	if want := []float32{1, 1, 2, -2, 1}; !slices.Equal(d.adjusted, want) {
		t.Errorf("adjusted to %v; want %v", d.adjusted, want)
	}
}

func TestPlaceholdersAreNeverChosen(t *testing.T) {
	for seed := range uint64(20) {
		for _, options := range []Options{{}, {Method: Beam}, {Method: Nucleus, TopP: 1, Count: 8, Seed: seed}} {
			s := forms[0]
			s.Words = 3
			for _, got := range s.write(t, seed, options) {
				if slices.Max(got.Tokens) >= 3 {
					t.Errorf("%s wrote %v", options.Method, got.Tokens)
				}
			}
		}
	}
	s := forms[0]
	s.Words = 2
	d := scored(t, s, Options{Method: Nucleus}, nil, nil, []float32{0, 0, 50, 50, 50})
	if p := math.Exp(d.choice(1).score); math.Abs(p-0.5) > 1e-9 {
		t.Errorf("a placeholder takes of the probability: %g is left of a half", p)
	}
}

func TestSeveralTokensEnd(t *testing.T) {
	for seed := range uint64(20) {
		for _, method := range []Method{Greedy, Beam, Nucleus} {
			s := forms[0]
			s.End = []int64{1, 2, 3}
			for _, got := range s.write(t, seed, Options{Method: method, Beams: 4, MinimumTokens: 1, MaximumTokens: 6, Seed: seed}) {
				for i, token := range got.Tokens {
					if ends := slices.Contains(s.End, token); ends != (got.Ended && i == len(got.Tokens)-1) || ends && i == 0 {
						t.Errorf("%s: %v", method, got)
					}
				}
			}
		}
	}
}

func TestTokensAreToldInOrder(t *testing.T) {
	for _, options := range []Options{{}, {Method: Nucleus, Seed: 4}, {Method: Beam}, {Method: Nucleus, Count: 2}} {
		told := make([][]int64, 2)
		s := forms[0]
		s.Written = func(prompt int, token int64) error {
			told[prompt] = append(told[prompt], token)
			return nil
		}
		for i, found := range s.all(t, newTable(11, 2), options) {
			want := found[0].Tokens
			if options.Rows() > 1 {
				want = nil
			}
			if !slices.Equal(told[i], want) {
				t.Errorf("%+v: told %v of %v", options, told[i], want)
			}
		}
	}
	stop := errors.New("stop")
	s := forms[0]
	s.Written = func(int, int64) error { return stop }
	model := newTable(1, 1)
	if _, err := s.Run(t.Context(), model, model.first(), Options{}); !errors.Is(err, stop) {
		t.Errorf("a failing callback: %v", err)
	}
}

func TestNothingLeftEndsAText(t *testing.T) {
	s := Search{Vocabulary: 2, End: []int64{1}, Before: [][]int64{{0}}}
	for _, method := range []Method{Greedy, Beam, Nucleus} {
		// Each token may occur once, 0 did, and the end is forbidden.
		found, err := s.Run(t.Context(), newTable(1, 1), []float32{1, 2}, Options{Method: method, NoRepeat: 1, MinimumTokens: 2})
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", method, found, err)
		}
		for _, got := range found[0] {
			if len(got.Tokens) != 0 || got.Ended {
				t.Errorf("%s: %v", method, got)
			}
		}
	}
}

func TestNucleusDrawsInProportion(t *testing.T) {
	logits := []float32{float32(math.Log(0.5)), float32(math.Log(0.3)), float32(math.Log(0.15)), float32(math.Log(0.05))}
	d := distribution{logits: logits, adjusted: logits, logTotal: logSumExp(logits), adjustedTotal: logSumExp(logits)}
	random := rand.New(rand.NewPCG(1, 2))
	const draws = 20_000
	var counts [4]int
	for range draws {
		next, ok := d.draw(random, 0.9)
		if !ok {
			t.Fatal("nothing was drawn")
		}
		counts[next.token]++
	}
	for token, want := range []float64{0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0} {
		if got := float64(counts[token]) / draws; math.Abs(got-want) > 0.015 {
			t.Errorf("token %d was drawn %.3f of the time, want %.3f", token, got, want)
		}
	}
}

func TestTemperature(t *testing.T) {
	d := scored(t, forms[0], Options{Method: Nucleus, Temperature: 2}, nil, nil, []float32{0, 2, 4, 0, 0})
	if want := []float32{0, 1, 2, 0, 0}; !slices.Equal(d.adjusted, want) {
		t.Errorf("adjusted to %v; want %v", d.adjusted, want)
	}
	if d := scored(t, forms[0], Options{Temperature: 2}, nil, nil, []float32{0, 2, 4, 0, 0}); d.adjusted[2] != 4 {
		t.Error("greedy search took the temperature into account")
	}
}

func TestSeedsRepeat(t *testing.T) {
	draw := func(seed uint64) []Hypothesis {
		return forms[0].write(t, 4, Options{Method: Nucleus, TopP: 1, Count: 8, Seed: seed})
	}
	first, again, other := draw(1), draw(1), draw(2)
	equal := func(a, b []Hypothesis) bool {
		return slices.EqualFunc(a, b, func(a, b Hypothesis) bool { return slices.Equal(a.Tokens, b.Tokens) })
	}
	if !equal(first, again) {
		t.Error("one seed gives different texts")
	}
	if equal(first, other) {
		t.Error("two seeds give the same texts")
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
	model := newTable(1, 1)
	model.fail = broken
	if _, err := forms[0].Run(t.Context(), model, model.first(), Options{MinimumTokens: 2}); !errors.Is(err, broken) {
		t.Errorf("run: %v", err)
	}
	if _, err := forms[0].Run(t.Context(), model, make([]float32, words+1), Options{}); err == nil {
		t.Error("logits of another vocabulary were accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := forms[0].Run(ctx, newTable(1, 1), model.first(), Options{MinimumTokens: 2}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run: %v", err)
	}
	for _, logits := range [][]float32{{1, float32(math.NaN())}, {float32(math.Inf(1)), 0}, {float32(math.Inf(-1)), float32(math.Inf(-1))}} {
		if _, err := (Search{Vocabulary: 2}).Run(t.Context(), model, logits, Options{}); !errors.Is(err, errNotANumber) {
			t.Errorf("run of %v: %v", logits, err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, options := range []Options{
		{Method: "best"}, {Count: 2}, {Count: -1}, {Method: Beam, Beams: 65}, {Method: Beam, Beams: 2, Count: 3}, {Method: Beam, Beams: -1},
		{MaximumTokens: -1}, {MaximumTokens: 513}, {MinimumTokens: 31}, {MinimumTokens: -1}, {TopP: 1.5}, {TopP: -1}, {TopP: math.NaN()},
		{RepetitionPenalty: 0.5}, {RepetitionPenalty: math.NaN()}, {NoRepeat: -1}, {LengthPenalty: power(11)}, {LengthPenalty: power(math.NaN())},
		{Temperature: -1}, {Temperature: math.Inf(1)},
	} {
		if options.Validate() == nil {
			t.Errorf("%+v was accepted", options)
		}
	}
	for _, options := range []Options{
		{}, {Method: Beam, Count: 5}, {Method: Nucleus, Count: 10}, {MinimumTokens: 10, MaximumTokens: 30}, {LengthPenalty: power(-1)},
	} {
		if err := options.Validate(); err != nil {
			t.Errorf("%+v: %v", options, err)
		}
	}
	if err := (Options{Method: "best", TopP: 2}).Validate(); !strings.Contains(err.Error(), "best") || !strings.Contains(err.Error(), "top p") {
		t.Errorf("not all is said: %v", err)
	}
}

// TestForbiddenWordsNeedNoSecondSum: the total of the other words is told from that of all, and no forbidden one is chosen,
// also where the forbidden ones have nearly all of the probability.
func TestForbiddenWordsNeedNoSecondSum(t *testing.T) {
	for _, end := range []float32{-3, 2, 9, 40} {
		logits := []float32{0.5, end, 1.5, -1}
		r := run{Search: Search{Vocabulary: 4, Words: 4, End: []int64{1}, PenalizeLogits: true}, options: Options{Method: Beam, MinimumTokens: 3}.WithDefaults()}
		d, err := r.score(nil, []int64{2}, logits)
		if err != nil {
			t.Fatal(err)
		}
		best := d.top(4)
		if len(best) != 3 || best[0].token != 2 {
			t.Fatalf("end %g: chosen %v", end, best)
		}
		want := float64(1.5) - logSumExp([]float32{0.5, 1.5, -1})
		if math.Abs(best[0].score-want) > 1e-6 || math.Abs(best[0].logProbability-(1.5-logSumExp(logits))) > 1e-6 {
			t.Errorf("end %g: %+v, want a score of %g", end, best[0], want)
		}
		if end == 40 && d.forbidden != nil {
			t.Error("what is left of nearly nothing is told from the total of all")
		}
	}
}
