// Package numbers tells which entry of an index a group has.
package numbers

// Table tells which entry a group has. The zero value is empty. Groups are mostly numbered without many gaps, so that a list does for them:
// a map of a million takes ten times the memory, and two of three times as long to fill as the rest of an opening.
type Table struct {
	listed []int32 // by group: one more than the entry; 0 for none
	count  int     // of listed entries
	others map[uint64]int
}

// Get gives the entry of a group.
func (n *Table) Get(group uint64) (number int, found bool) {
	if group < uint64(len(n.listed)) && n.listed[group] != 0 {
		return int(n.listed[group]) - 1, true
	}
	number, found = n.others[group]
	return number, found
}

// Set gives a group an entry, in place of the one that it had.
func (n *Table) Set(group uint64, number int) {
	n.Remove(group)
	if most := uint64(gapsListed * (n.count + leastListed)); group >= most || number >= 1<<31-1 {
		if n.others == nil {
			n.others = map[uint64]int{}
		}
		n.others[group] = number
		return
	}
	if group >= uint64(len(n.listed)) {
		n.listed = append(n.listed, make([]int32, group+1-uint64(len(n.listed)))...)
	}
	n.listed[group] = int32(number) + 1
	n.count++
}

// Remove takes a group's entry away, if it has one.
func (n *Table) Remove(group uint64) {
	if group < uint64(len(n.listed)) && n.listed[group] != 0 {
		n.listed[group] = 0
		n.count--
		return
	}
	delete(n.others, group)
}
