package blip2

import (
	"cmp"
	"math"
	"slices"
)

// levels are the limits on a product's error: those that all begin with, those of products that are narrowed, and float32.
var levels = []limits{{good: 0.02, acceptable: 0.05}, {good: 0.004, acceptable: 0.008}, {}}

// rounds say what is narrowed, one round after another, in a part that loses too much: which share of the products that are
// not at this level yet, those of the largest errors first.
var rounds = []struct {
	share float64
	level int
}{{0.25, 1}, {0.5, 1}, {1, 1}, {0.25, 2}, {0.5, 2}, {1, 2}}

// choices are the verdicts on the products of the vision encoder or of the Q-Former.
type choices struct {
	order    []linear
	verdicts map[string]verdict
	levels   map[string]int // index into levels; 0 when absent
	round    int            // rounds begun
}

func newChoices() *choices {
	return &choices{verdicts: map[string]verdict{}, levels: map[string]int{}}
}

// settled is the verdict on l, unless one is still to be found by trials.
func (c *choices) settled(l linear) (verdict, bool) {
	if c.levels[l.name()] == len(levels)-1 {
		return verdict{candidate: candidate{method: methodFloat}}, true
	}
	found, ok := c.verdicts[l.name()]
	return found, ok
}

// settle notes the verdict on l.
func (c *choices) settle(l linear, found verdict) {
	if !hasProduct(c.order, l) {
		c.order = append(c.order, l)
	}
	c.verdicts[l.name()] = found
}

// narrow begins the next round among the products that concern the loss, and returns how many products have to be chosen
// again: 0 when all of them are in float32.
func (c *choices) narrow(concerned func(linear) bool) int {
	for {
		round := rounds[min(c.round, len(rounds)-1)]
		open := slices.DeleteFunc(slices.Clone(c.order), func(l linear) bool {
			return !concerned(l) || c.levels[l.name()] >= round.level || c.verdicts[l.name()].method == methodFloat
		})
		last := c.round >= len(rounds)-1
		c.round++
		if len(open) > 0 {
			slices.SortStableFunc(open, func(a, b linear) int {
				return cmp.Compare(c.verdicts[b.name()].error, c.verdicts[a.name()].error)
			})
			open = open[:int(math.Ceil(round.share*float64(len(open))))]
			for _, l := range open {
				c.levels[l.name()] = round.level
			}
			for _, l := range open {
				delete(c.verdicts, l.name())
			}
			return len(open)
		}
		if last {
			return 0
		}
	}
}

// list is the choices as the manifest has them.
func (c *choices) list() []LayerChoice {
	list := make([]LayerChoice, len(c.order))
	for i, l := range c.order {
		found := c.verdicts[l.name()]
		list[i] = LayerChoice{Layer: l.name(), Method: string(found.method), Error: found.error}
	}
	return list
}
