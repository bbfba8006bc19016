package duplicates

import (
	"context"
	"math"
	"slices"

	"mekiki/embed/pixels"
	"mekiki/index"
)

// Pictures groups images whose perceptual hashes differ by a distance of 0 to 16 bits at
// most. The hashes are kept in four tables by
// 16 of their bits; two hashes within a distance agree in one table up to a
// quarter of it (multi-index hashing, Norouzi et al. 2012).
func Pictures(ctx context.Context, records []*index.Record, distance int) ([]Group, error) {
	ordered := slices.DeleteFunc(ByPreference(records), func(r *index.Record) bool { return r.PerceptualHash == 0 })
	tables := newHashTables(ordered)
	taken := make([]bool, len(ordered))
	var groups []Group
	for i, leader := range ordered {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if taken[i] {
			continue
		}
		group := Group{Members: []Member{makeMember(leader, 0, 1)}}
		for _, j := range tables.within(leader.PerceptualHash, distance) {
			other := ordered[j]
			if j == i || taken[j] || !sameAspect(leader, other) {
				continue
			}
			taken[j] = true
			bits := pixels.HammingDistance(leader.PerceptualHash, other.PerceptualHash)
			group.add(other, bits, 1-float64(bits)/64)
		}
		if len(group.Members) > 1 {
			taken[i] = true
			groups = append(groups, group)
		}
	}
	return groups, nil
}

func sameAspect(a, b *index.Record) bool {
	if a.Height < 1 || b.Height < 1 || a.Width < 1 || b.Width < 1 {
		return true
	}
	ratio := float64(a.Width) * float64(b.Height) / (float64(a.Height) * float64(b.Width))
	return math.Abs(ratio-1) <= aspectTolerance
}

// hashTables finds hashes within a few bits of another.
type hashTables struct {
	hashes []uint64
	tables [4]hashTable
	seen   []int32 // the last query that met each hash
	query  int32
}

// hashTable has the numbers of the hashes in order of 16 of their bits; those of a key begin where starts says.
type hashTable struct {
	starts  [1<<16 + 1]int32
	numbers []int32
}

func newHashTables(records []*index.Record) *hashTables {
	h := &hashTables{hashes: make([]uint64, len(records)), seen: make([]int32, len(records))}
	for i, record := range records {
		h.hashes[i] = record.PerceptualHash
	}
	for t := range h.tables {
		h.tables[t].fill(h.hashes, 16*t)
	}
	return h
}

// fill sorts the hashes by counting.
func (t *hashTable) fill(hashes []uint64, shift int) {
	for _, hash := range hashes {
		t.starts[int(uint16(hash>>shift))+1]++
	}
	for key := range 1 << 16 {
		t.starts[key+1] += t.starts[key]
	}
	next := t.starts
	t.numbers = make([]int32, len(hashes))
	for i, hash := range hashes {
		key := uint16(hash >> shift)
		t.numbers[next[key]] = int32(i)
		next[key]++
	}
}

// with gives the numbers of the hashes with a key.
func (t *hashTable) with(key uint16) []int32 { return t.numbers[t.starts[key]:t.starts[int(key)+1]] }

// within gives the numbers of the hashes within a distance, in order.
func (h *hashTables) within(hash uint64, distance int) []int {
	h.query++
	var found []int
	for t := range h.tables {
		flips(uint16(hash>>(16*t)), distance/len(h.tables), 0, func(key uint16) {
			for _, i := range h.tables[t].with(key) {
				if h.seen[i] == h.query {
					continue
				}
				h.seen[i] = h.query
				if pixels.HammingDistance(hash, h.hashes[i]) <= distance {
					found = append(found, int(i))
				}
			}
		})
	}
	slices.Sort(found)
	return found
}

// flips visits every key that differs from key in at most count of the bits
// from one on.
func flips(key uint16, count, from int, visit func(uint16)) {
	visit(key)
	if count == 0 {
		return
	}
	for bit := from; bit < 16; bit++ {
		flips(key^1<<bit, count-1, bit+1, visit)
	}
}
