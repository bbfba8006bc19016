package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Native code that WebAssembly was compiled to does not stop for Go's
// scheduler: while it runs, the whole program can wait for it at the next
// garbage collection, and no context ends it. The runtime's own remedy, leaving
// the code at every turn of every loop, makes decoding six times slower. So the
// module is metered before it is compiled: every loop counts, and every
// turnsPerBreak turns the code leaves for a moment, by growing its memory by
// nothing, and ends if it has been told to or has had its time.

// Exported globals. A module ends at its next break when stopGlobal is not zero,
// or when breaksGlobal, from which every break takes one, is below zero.
const (
	stopGlobal   = "mekiki_stop"
	breaksGlobal = "mekiki_breaks"
)

// addedGlobals is how many globals metering adds: the turns that are left until
// the next break, the stop flag, and the breaks that are left.
const addedGlobals = 3

// Sections of a WebAssembly module (WebAssembly Core Specification 2.0,
// section 5.5).
const (
	sectionCustom = 0
	sectionImport = 2
	sectionGlobal = 6
	sectionExport = 7
	sectionCode   = 10
)

var errModule = errors.New("the WebAssembly module is damaged")

// meter returns the module with counting loops.
func meter(module []byte) ([]byte, error) {
	if len(module) < 8 || string(module[:4]) != "\x00asm" {
		return nil, errModule
	}
	out := slices.Clone(module[:8])
	r := &reader{data: module[8:]}
	counter := uint32(0) // the index of the first global that is added
	seen := map[byte]bool{}
	for len(r.data) > 0 && r.err == nil {
		id := r.byte()
		content := r.bytes(int64(r.number()))
		var err error
		seen[id] = true
		switch id {
		case sectionCustom:
			continue // names and the like, which the changes below would make wrong
		case sectionImport:
			counter, err = importedGlobals(content)
		case sectionGlobal:
			counter, content, err = addGlobals(counter, content)
		case sectionExport:
			content, err = addExports(content, counter)
		case sectionCode:
			content, err = meterCode(content, counter)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, id)
		out = binary.AppendUvarint(out, uint64(len(content)))
		out = append(out, content...)
	}
	if r.err == nil && !(seen[sectionGlobal] && seen[sectionExport]) {
		return nil, fmt.Errorf("%w: it has no globals or exports to add to", errModule)
	}
	return out, r.err
}

// importedGlobals returns how many globals the module imports.
func importedGlobals(content []byte) (uint32, error) {
	r := &reader{data: content}
	globals := uint32(0)
	for range r.number() {
		r.bytes(int64(r.number()))
		r.bytes(int64(r.number()))
		switch kind := r.byte(); kind {
		case 0:
			r.number()
		case 3:
			r.bytes(2)
			globals++
		default:
			return 0, fmt.Errorf("%w: it imports a memory or a table", errModule)
		}
		if r.err != nil {
			return 0, r.err
		}
	}
	return globals, r.err
}

// addGlobals appends what metering adds, 32-bit and mutable, and returns the index
// of the first. A module that nobody gives a number of breaks has very many.
func addGlobals(imported uint32, content []byte) (uint32, []byte, error) {
	r := &reader{data: content}
	count := r.number()
	out := binary.AppendUvarint(nil, uint64(count)+addedGlobals)
	out = append(out, r.data...)
	for _, value := range [addedGlobals]int64{0, 0, math.MaxInt32} {
		out = append(append(out, 0x7F, 1, 0x41), signed(value)...)
		out = append(out, 0x0B)
	}
	return imported + count, out, r.err
}

// addExports appends the exports of the stop flag and of the breaks.
func addExports(content []byte, counter uint32) ([]byte, error) {
	r := &reader{data: content}
	out := binary.AppendUvarint(nil, uint64(r.number())+2)
	out = append(out, r.data...)
	for at, name := range []string{stopGlobal, breaksGlobal} {
		out = binary.AppendUvarint(out, uint64(len(name)))
		out = append(append(out, name...), 3)
		out = binary.AppendUvarint(out, uint64(counter)+1+uint64(at))
	}
	return out, r.err
}

// meterCode puts the counting into the loops of every function.
func meterCode(content []byte, counter uint32) ([]byte, error) {
	counting := countingCode(counter)
	r := &reader{data: content}
	functions := r.number()
	out := binary.AppendUvarint(nil, uint64(functions))
	for range functions {
		body := &reader{data: r.bytes(int64(r.number()))}
		if r.err != nil {
			return nil, r.err
		}
		whole := body.data
		for range body.number() { // local variables
			body.number()
			body.byte()
			if body.err != nil {
				return nil, body.err
			}
		}
		metered := slices.Clone(whole[:len(whole)-len(body.data)])
		for len(body.data) > 0 && body.err == nil {
			before := body.data
			opcode := body.instruction()
			metered = append(metered, before[:len(before)-len(body.data)]...)
			if opcode == opcodeLoop {
				metered = append(metered, counting...)
			}
		}
		if body.err != nil {
			return nil, body.err
		}
		out = binary.AppendUvarint(out, uint64(len(metered)))
		out = append(out, metered...)
	}
	return out, r.err
}

// countingCode returns the instructions that count one turn of a loop down.
func countingCode(counter uint32) []byte {
	get := func(index uint32) []byte { return binary.AppendUvarint([]byte{0x23}, uint64(index)) }
	set := func(index uint32) []byte { return binary.AppendUvarint([]byte{0x24}, uint64(index)) }
	const (
		equalsZero = 0x45
		constant   = 0x41
		subtract   = 0x6B
		either     = 0x72
		lessThan   = 0x48
		onlyIf     = 0x04
		void       = 0x40
		end        = 0x0B
	)
	return slices.Concat(
		get(counter), []byte{equalsZero, onlyIf, void},
		[]byte{constant}, signed(turnsPerBreak), set(counter),
		[]byte{constant, 0, 0x40, 0, 0x1A}, // grow the memory by nothing; drop the result
		get(counter+2), []byte{constant, 1, subtract}, set(counter+2),
		get(counter+1), get(counter+2), []byte{constant, 0, lessThan, either, onlyIf, void, 0x00, end},
		[]byte{end},
		get(counter), []byte{constant, 1, subtract}, set(counter),
	)
}

// signed encodes a number as signed LEB128.
func signed(value int64) []byte {
	var out []byte
	for {
		b := byte(value & 0x7F)
		value >>= 7
		if value == 0 && b&0x40 == 0 || value == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}
