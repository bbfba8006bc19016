package embed

import (
	"context"
	"slices"
	"sync"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/runner"
	"mekiki/embed/tokenize"
)

// hiddenWindows is how many windows that are hidden lie beside each other across the
// grid, without overlap. Those that are shown alone have half the side.
const hiddenWindows = 4

// window is a rectangle of the grid.
type window struct{ row, column, rows, columns int }

// Each calls do for the cells of the window in a grid of so many columns.
func (w window) each(columns int, do func(cell int)) {
	for row := range w.rows {
		for column := range w.columns {
			do((w.row+row)*columns + w.column + column)
		}
	}
}

// windows lists the windows of a side over a grid, a step apart, the last ones at its
// far edges.
func windows(grid manifest.Grid, side, step int) []window {
	starts := func(length int) (list []int) {
		for at := 0; at+side < length; at += step {
			list = append(list, at)
		}
		return append(list, max(0, length-side))
	}
	var list []window
	for _, row := range starts(grid.Rows) {
		for _, column := range starts(grid.Columns) {
			list = append(list, window{row: row, column: column, rows: min(side, grid.Rows), columns: min(side, grid.Columns)})
		}
	}
	return list
}

// occlusion is a map on its way.
type occlusion struct {
	engine   *Engine
	memory   []ort.Tensor // of the whole image
	blank    []ort.Tensor // with every patch replaced by the mean patch
	encoding tokenize.Encoding
	whole    Match // the answer for the whole image
	progress func(done, total int)

	mutex       sync.Mutex // held while progress is told
	done, total int
}

// locateByOcclusion asks of windows over the image what the match's margin loses without
// One, and what it gains by one alone; the sum of both is the window's part. Without
// means that the window's patches are replaced by the mean patch, and alone that all
// others are. Either alone points worse: a thing whose one half is hidden is still seen
// in the other. Matching reads image tokens by keys and values that are linear in them,
// so it is these that are replaced: no image token is read again.
func (e *Engine) locateByOcclusion(ctx context.Context, memory []ort.Tensor, text string, progress func(done, total int)) (Map, error) {
	grid := e.model.Description.Map.Grid
	o := &occlusion{engine: e, memory: memory, encoding: e.encode(text), progress: progress}
	for _, tensor := range memory {
		o.blank = append(o.blank, blankOf(tensor, grid))
	}
	side := max(1, (max(grid.Rows, grid.Columns)+hiddenWindows-1)/hiddenWindows)
	half := max(1, side/2)
	hidden, shown := windows(grid, side, half), windows(grid, half, half)
	margins, err := o.margins(ctx, hidden, shown)
	if err != nil {
		return Map{}, err
	}
	whole, nothing := margins[0], margins[1]
	parts := newPatchMeans(grid)
	for i, w := range hidden {
		parts.add(w, whole-margins[2+i])
	}
	values := parts.means()
	parts = newPatchMeans(grid)
	for i, w := range shown {
		parts.add(w, margins[2+len(hidden)+i]-nothing)
	}
	for i, value := range parts.means() {
		values[i] += value
	}
	found := newMap(grid.Rows, grid.Columns, values, MapOcclusion)
	found.Match, found.Runs = o.whole, len(margins)
	return found, nil
}

// margins runs matching for the whole image, for nothing of it, without each window of
// hidden and with each of shown alone.
func (o *occlusion) margins(ctx context.Context, hidden, shown []window) ([]float64, error) {
	grid := o.engine.model.Description.Map.Grid
	margins := make([]float64, 2+len(hidden)+len(shown))
	o.total = len(margins)
	graph := o.engine.model.Graphs[manifest.MatchTextFile]
	err := o.engine.model.EachWithSession(ctx, graph, len(margins), func(ctx context.Context, session *ort.Session, i int) error {
		var memory []ort.Tensor
		switch at := i - 2; {
		case i == 0:
			memory = o.memory
		case i == 1:
			memory = o.blank
		case at < len(hidden):
			memory = overlaid(o.memory, o.blank, grid, hidden[at])
		default:
			memory = overlaid(o.blank, o.memory, grid, shown[at-len(hidden)])
		}
		match, err := o.run(ctx, session, memory)
		if margins[i] = float64(match.Logits[1]) - float64(match.Logits[0]); i == 0 {
			o.whole = match
		}
		return err
	})
	return margins, err
}

// run judges what is in memory against the text.
func (o *occlusion) run(ctx context.Context, session *ort.Session, memory []ort.Tensor) (Match, error) {
	ids, mask := runner.TextTensors([]tokenize.Encoding{o.encoding}, []int{0})
	logits := make([]float32, 2)
	err := session.RunInto(ctx, append([]ort.Tensor{ids, mask}, memory...), []ort.Tensor{ort.Float32Tensor(logits, 1, 2)})
	if err != nil {
		return Match{}, err
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.done++
	if o.progress != nil {
		o.progress(o.done, o.total)
	}
	return newMatch(logits[0], logits[1]), nil
}

// blankOf is a memory [1 N W] whose patches are all their mean; other tokens stay.
func blankOf(memory ort.Tensor, grid manifest.Grid) ort.Tensor {
	width := int(memory.Shape()[2])
	count := grid.Rows * grid.Columns
	values := slices.Clone(memory.Float32())
	patches := values[grid.First*width:][:count*width]
	mean := make([]float32, width)
	for i, value := range patches {
		mean[i%width] += value / float32(count)
	}
	for i := range patches {
		patches[i] = mean[i%width]
	}
	return ort.Float32Tensor(values, memory.Shape()...)
}

// overlaid is memory under with the patches of a window from memory over.
func overlaid(under, over []ort.Tensor, grid manifest.Grid, w window) []ort.Tensor {
	list := make([]ort.Tensor, len(under))
	for i, memory := range under {
		values, width := slices.Clone(memory.Float32()), int(memory.Shape()[2])
		w.each(grid.Columns, func(cell int) {
			at := (grid.First + cell) * width
			copy(values[at:][:width], over[i].Float32()[at:])
		})
		list[i] = ort.Float32Tensor(values, memory.Shape()...)
	}
	return list
}

// patchMeans makes values of patches out of those of windows.
type patchMeans struct {
	columns int
	sums    []float64
	counts  []int
}

func newPatchMeans(grid manifest.Grid) *patchMeans {
	count := grid.Rows * grid.Columns
	return &patchMeans{columns: grid.Columns, sums: make([]float64, count), counts: make([]int, count)}
}

func (p *patchMeans) add(w window, value float64) {
	w.each(p.columns, func(cell int) {
		p.sums[cell] += value
		p.counts[cell]++
	})
}

// means is for each patch the mean over the windows that hold it.
func (p *patchMeans) means() []float64 {
	values := make([]float64, len(p.sums))
	for i, sum := range p.sums {
		values[i] = sum / float64(max(1, p.counts[i]))
	}
	return values
}
