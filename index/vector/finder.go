package vector

import (
	"context"
	"io"
)

// finder is what an index finds entries by that are likely to be near a query: inverted
// lists or a graph.
type finder interface {
	// insert puts in entries, each by its number. One that cannot be read is left out.
	insert(c *content, reader *reader, numbers []int)
	// snapshot gives the finder as it is now.
	snapshot() proposer
}

// proposer is a finder at one moment. It never changes.
type proposer interface {
	// propose gives the scorer entries that are likely to be near, the best first.
	propose(ctx context.Context, s *scorer) error
	// save writes what a finder is restored from.
	save(v *View, w io.Writer) error
}

// MethodAt says by what an index of these options finds when it has so many vectors: [Exact],
// [HNSW], [IVF] or [Coder].
func (o Options) MethodAt(vectors int) Method {
	o = o.withDefaults()
	switch {
	case o.Method != Automatic:
		return o.Method
	case vectors < o.ApproximateFrom:
		return Exact
	case vectors >= ListsFrom:
		return IVF
	}
	return HNSW
}

// Method says by what this index finds at its present size, see [Options.MethodAt].
func (x *Index) Method() Method { return x.options.MethodAt(x.content.rows) }

// updateFinder puts in the entries that the finder does not have, if this index has one.
// Where that is most of them, it is built anew. A finder of a method that the index has outgrown stays.
func (x *Index) updateFinder() {
	method := x.Method()
	switch {
	case method == Exact, x.needsBuild() && x.deferred:
		x.finder, x.content.listed = nil, 0
		return
	case x.needsBuild():
		x.finder, x.method = x.newBuilder(&x.content).build(method), method
	default:
		x.insertFrom(x.content.listed, func(int) bool { return false })
	}
	x.content.listed = x.content.entries
}

// needsBuild reports whether the finder lacks most entries, so that it is built anew.
func (x *Index) needsBuild() bool { return x.content.entries-x.content.listed > x.content.listed }

// outgrown reports whether the finder is not of the method that the index is to find by at its present size.
func (x *Index) outgrown() bool { return x.finder != nil && x.method != x.Method() }

func (x *Index) newBuilder(of *content) *builder {
	return &builder{width: x.width, stride: x.stride, kernel: x.kernel, chunks: of.chunks(), removed: of.isRemoved, newReader: x.newReader}
}

// insertFrom inserts the entries from a number on, except those that are listed.
func (x *Index) insertFrom(first int, listed func(number int) bool) {
	var numbers []int
	for number := first; number < x.content.entries; number++ {
		if !x.content.removed.Has(number) && !listed(number) {
			numbers = append(numbers, number)
		}
	}
	if len(numbers) > 0 {
		x.finder.insert(&x.content, x.newReader(), numbers)
	}
}

// Defer says whether views do without a graph or inverted lists, and are exact, as long
// as these have to be built. Pending then gives what is to be built.
func (x *Index) Defer(deferred bool) { x.deferred = deferred }

// Pending gives what is to be built, of the content as it is now; nil when there is
// nothing to build. A graph that is too large stays in use until lists are adopted.
func (x *Index) Pending() *Build {
	if !x.deferred || x.Method() == Exact || !x.needsBuild() && !x.outgrown() {
		return nil
	}
	b := &Build{content: x.content, generation: x.generation, method: x.Method()}
	b.builder = x.newBuilder(&b.content)
	return b
}

// Build builds the graph or the inverted lists of what an index held at some moment.
type Build struct {
	builder    *builder
	method     Method
	content    content
	generation int
	built      finder
}

// Run builds, in any goroutine, while the index may change. It ends early when stopped
// reports true.
func (b *Build) Run(stopped func() bool) {
	b.builder.stopped = stopped
	b.built = b.builder.build(b.method)
}

// Adopt uses what was built; the next view inserts what was added since. It reports false
// when that is of no use: the build was stopped, or the index has changed too much.
func (x *Index) Adopt(b *Build) bool {
	if b.builder.isStopped() || b.generation != x.generation || x.Method() != b.method || !x.needsBuild() && !x.outgrown() {
		return false
	}
	x.finder, x.method, x.content.listed = b.built, b.method, b.content.entries
	return true
}
