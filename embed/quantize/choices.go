package quantize

import (
	"cmp"
	"math"
	"slices"

	"mekiki/embed/manifest"
)

// choices are the verdicts on the products of the encoder or of the graphs.
type choices struct {
	order    []Product
	verdicts map[string]verdict
	levels   map[string]int // index into a policy's levels; 0 when absent
	round    int            // rounds begun
}

func newChoices() *choices {
	return &choices{verdicts: map[string]verdict{}, levels: map[string]int{}}
}

// decided is the verdict on p, unless one is still to be found by trials.
func (c *choices) decided(p Product) (verdict, bool) {
	if c.levels[p.Name()] == lastLevel {
		return verdict{candidate: candidate{method: Float32}}, true
	}
	found, ok := c.verdicts[p.Name()]
	return found, ok
}

// open reports whether the verdict on p is still to be found.
func (c *choices) open(p Product) bool {
	_, ok := c.decided(p)
	return !ok
}

// note notes the verdict on p.
func (c *choices) note(p Product, found verdict) {
	if !hasProduct(c.order, p) {
		c.order = append(c.order, p)
	}
	c.verdicts[p.Name()] = found
}

// tighten begins the next round among the products that concern the loss, and returns how many products have to be chosen
// again: 0 when all of them are in float32.
func (c *choices) tighten(concerned func(Product) bool) int {
	for {
		round := rounds[min(c.round, len(rounds)-1)]
		open := slices.DeleteFunc(slices.Clone(c.order), func(p Product) bool {
			return !concerned(p) || c.levels[p.Name()] >= round.level || c.verdicts[p.Name()].method == Float32
		})
		last := c.round >= len(rounds)-1
		c.round++
		if len(open) > 0 {
			slices.SortStableFunc(open, func(a, b Product) int {
				return cmp.Compare(c.verdicts[b.Name()].error, c.verdicts[a.Name()].error)
			})
			open = open[:int(math.Ceil(round.share*float64(len(open))))]
			for _, p := range open {
				c.levels[p.Name()] = round.level
			}
			for _, p := range open {
				delete(c.verdicts, p.Name())
			}
			return len(open)
		}
		if last {
			return 0
		}
	}
}

// list is the choices as the manifest has them.
func (c *choices) list() []manifest.LayerChoice {
	list := make([]manifest.LayerChoice, len(c.order))
	for i, p := range c.order {
		found := c.verdicts[p.Name()]
		list[i] = manifest.LayerChoice{Layer: p.Name(), Method: string(found.method), Error: found.error}
	}
	return list
}
