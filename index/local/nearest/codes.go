package nearest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/index/vector"
	"mekiki/index/vector/codes"
	"mekiki/internal/vfs"
)

// codesSuffix ends the names of files of codes, from which an index that is searched
// approximately reads them. Each is written once, under a name of its own, since systems
// differ in whether a file that somebody has open can be replaced. What is in there says
// which vectors it is of, so that a file may be of any earlier state.
const codesSuffix = ".codes"

// savedCodes is an open file of codes.
type savedCodes struct {
	*vector.Codes
	name string
	file vfs.File
	used int // groups that the index has from it
}

// codesFiles lists the files of codes of a kind, the newest last.
func (l *Host) codesFiles(space uint64, kind index.Kind) []string {
	folder := filepath.Join(l.Folder, catalog.DerivedFolder, listsFolder)
	entries, err := l.Fsys.ReadDir(folder)
	if err != nil {
		return nil // there are none
	}
	var names []string
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), fmt.Sprintf("%04d-%ss-", space, kind)) && strings.HasSuffix(entry.Name(), codesSuffix) {
			names = append(names, filepath.Join(folder, entry.Name()))
		}
	}
	slices.Sort(names)
	return names
}

// openCodes opens the newest file of codes of a kind; nil without one that can be used. One that
// is gone when it is opened was replaced by another process.
func (x *Store) openCodes(kind index.Kind) *savedCodes {
	for range openAttempts {
		names := x.Host.codesFiles(x.Number, kind)
		if len(names) == 0 {
			return nil
		}
		opened, err := x.openCodesFile(names[len(names)-1])
		if err == nil {
			return opened
		}
		if !errors.Is(err, fs.ErrNotExist) {
			x.Host.Logger.Warn("make the codes of vectors again", "file", names[len(names)-1], "why", err)
			return nil
		}
	}
	return nil
}

func (x *Store) openCodesFile(name string) (*savedCodes, error) {
	file, err := x.Host.Fsys.Open(name)
	if err != nil {
		return nil, err
	}
	opened, size := &savedCodes{name: name, file: file}, int64(0)
	if size, err = file.Size(); err == nil {
		opened.Codes, err = vector.OpenCodes(file, size, x.space.Width)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return opened, nil
}

// identities gives, by ID, what tells the vectors that a record of a kind has from others that
// it had: the commit that brought them, the record's content and the space. It is zero for
// what is no such record.
func (x *Store) identities(v *View, kind index.Kind) []uint64 {
	from := v.State.SpaceNumbered(x.Number)
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%+v %d", from.Space, from.Added.UnixNano())
	space := hash.Sum64()
	identities := make([]uint64, len(from.Locations.Pages)*catalog.PageSize)
	for id, where := range from.Locations.All() {
		if record, there := v.State.Record(id); there && record.Kind == kind && where.Vectors.Length > 0 {
			const odd = 0x9e3779b97f4a7c15 // of SplitMix64: sequences that follow each other differ in all bits
			identities[id] = max(1, space^where.Sequence*odd^binary.LittleEndian.Uint64(record.Hash[:8]))
		}
	}
	return identities
}

// current reports which entries are of vectors as they are now, each of another record, and
// how many. The IDs of those are zero in wanted then.
func (c *savedCodes) current(wanted []uint64) (current []bool, count int) {
	current = make([]bool, len(c.Entries()))
	for number, entry := range c.Entries() {
		if entry.Identity != 0 && entry.Group < uint64(len(wanted)) && wanted[entry.Group] == entry.Identity {
			current[number], wanted[entry.Group] = true, 0
			count++
		}
	}
	return current, count
}

// useCodes makes an empty index use saved codes, which are written before where many are
// missing. It reports whether the index has a record then; nil where it has none, so that all
// codes are kept in memory.
func (x *Store) useCodes(ctx context.Context, v *View, kind index.Kind, into Index) (func(index.ID) bool, error) {
	if x.Host.MethodOf(x.space, kind, v.State.Counts[kind]) == vector.Exact {
		return nil, nil
	}
	saved := x.openCodes(kind)
	wanted := x.identities(v, kind)
	groups := countOf(wanted)
	if saved, wanted = x.renewCodes(ctx, v, kind, saved, wanted, groups); saved == nil {
		return nil, ctx.Err()
	}
	all := slices.Clone(wanted)
	current, count := saved.current(wanted)
	if err := into.UseCodes(saved.Codes, func(number int) bool { return current[number] }); err != nil {
		return nil, errors.Join(err, saved.file.Close())
	}
	if saved.used = count; x.codes == nil {
		x.codes = map[index.Kind]*savedCodes{}
	}
	x.codes[kind] = saved
	return func(id index.ID) bool { return all[id] != 0 && wanted[id] == 0 }, nil
}

func countOf(identities []uint64) (count int) {
	for _, identity := range identities {
		if identity != 0 {
			count++
		}
	}
	return count
}

// renewCodes writes a new file of codes if the open one, which may be nil, lacks many of the
// groups, and gives the one that is to be used, or nil, with what is wanted of it.
func (x *Store) renewCodes(ctx context.Context, v *View, kind index.Kind, saved *savedCodes, wanted []uint64, groups int) (*savedCodes, []uint64) {
	if saved != nil {
		if _, count := saved.current(slices.Clone(wanted)); !worthSaving(groups-count, groups) {
			return saved, wanted
		}
	}
	err := x.writeCodes(ctx, v, kind, saved, wanted)
	if err != nil {
		x.Host.Logger.Debug("codes of vectors are not saved", "error", err)
		return saved, wanted
	}
	if saved != nil {
		if err := saved.file.Close(); err != nil {
			x.Host.Logger.Debug("close codes of vectors", "error", err)
		}
	}
	x.removeOldCodes(kind)
	return x.openCodes(kind), wanted
}

// writeCodes writes a new file of codes: those of an earlier one, which may be nil, that are
// current, and those that it lacks. Records whose vectors cannot be read are left out.
func (x *Store) writeCodes(ctx context.Context, v *View, kind index.Kind, earlier *savedCodes, wanted []uint64) error {
	l, number := x.Host, 1
	if names := x.Host.codesFiles(x.Number, kind); len(names) > 0 {
		// A name that is not of this form gives 1 again, which is then replaced.
		newest := strings.TrimSuffix(names[len(names)-1], codesSuffix)
		last, _ := strconv.Atoi(newest[strings.LastIndexByte(newest, '-')+1:])
		number = last + 1
	}
	if err := l.Present(); err != nil {
		return err
	}
	name := filepath.Join(l.Folder, catalog.DerivedFolder, listsFolder, fmt.Sprintf("%04d-%ss-%08d%s", x.Number, kind, number, codesSuffix))
	if err := vfs.MkdirBelow(l.Fsys, l.Folder, filepath.Dir(name)); err != nil {
		return err
	}
	if !l.ReadOnly() {
		vfs.RemoveTemporary(l.Fsys, filepath.Dir(name))
	}
	return vfs.WriteAtomically(l.Fsys, name, l.Now().UnixNano(), func(w io.Writer) error {
		to, err := codes.NewWriter(w, x.space.Width)
		if err != nil {
			return err
		}
		missing := slices.Clone(wanted)
		if earlier != nil {
			current, _ := earlier.current(missing)
			if err := earlier.Copy(to, func(number int) bool { return current[number] }); err != nil {
				return err
			}
		}
		if err := x.encode(ctx, v, missing, to); err != nil {
			return err
		}
		return to.Finish()
	})
}

// encode writes the codes of records, by what identifies their vectors.
func (x *Store) encode(ctx context.Context, v *View, identities []uint64, to *codes.Writer) error {
	r := reading{store: x, view: v, from: v.State.SpaceNumbered(x.Number), encode: true}
	for id, identity := range identities {
		if identity != 0 {
			r.ids = append(r.ids, index.ID(id))
		}
	}
	for window := range slices.Chunk(r.ids, readWindow) {
		for _, one := range r.read(ctx, window) {
			if one.record == nil || one.err != nil {
				continue
			}
			id := one.record.ID
			if err := to.Add(uint64(id), identities[id], one.rows, one.codes); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// removeOldCodes deletes all files of codes of a kind but the newest. What is open elsewhere
// is deleted at another time where the system will have it so.
func (x *Store) removeOldCodes(kind index.Kind) {
	names := x.Host.codesFiles(x.Number, kind)
	for _, name := range names[:max(0, len(names)-1)] {
		if err := x.Host.Fsys.Remove(name); err != nil {
			x.Host.Logger.Debug("delete former codes of vectors", "error", err)
		}
	}
}

// saveCodes writes the codes of what has grown since they were saved, and of files that turned
// out to be damaged, for the next opening.
func (x *Store) saveCodes(last *View, kind index.Kind) {
	saved, wanted := x.codes[kind], x.identities(last, kind)
	groups := countOf(wanted)
	whole := saved != nil && !saved.Damaged()
	if x.Host.MethodOf(x.space, kind, groups) == vector.Exact || whole && !worthSaving(groups-saved.used, groups) {
		return
	}
	if !whole {
		saved = nil
	}
	if err := x.writeCodes(context.Background(), last, kind, saved, wanted); err != nil {
		x.Host.Logger.Debug("codes of vectors are not saved", "error", err)
	}
}

// CloseCodes closes the files of codes and of lists. Searches that go on read vectors instead.
func (x *Store) CloseCodes() {
	for _, saved := range x.codes {
		if err := saved.file.Close(); err != nil {
			x.Host.Logger.Debug("close codes of vectors", "error", err)
		}
	}
	for _, files := range x.lists {
		for _, file := range files {
			if err := file.Close(); err != nil {
				x.Host.Logger.Debug("close inverted lists", "error", err)
			}
		}
	}
	x.codes, x.lists = nil, nil
}

// closeSavedCodes closes the files of codes, and deletes those that others have replaced.
func (x *Store) closeSavedCodes() {
	x.CloseCodes()
	for _, kind := range []index.Kind{index.KindImage, index.KindText} {
		x.removeOldCodes(kind)
	}
}

// LacksSaved reports whether so much of what searches need is not saved that the next search
// would begin without it.
func (v *View) LacksSaved() bool {
	if v.Store == nil || v.State.SpaceNumbered(v.Store.Number) == nil {
		return false
	}
	return v.Store.lacksSaved(v, index.KindImage) || v.Store.lacksSaved(v, index.KindText)
}

func (x *Store) lacksSaved(v *View, kind index.Kind) bool {
	method := x.Host.MethodOf(x.space, kind, v.State.Counts[kind])
	if method == vector.Exact {
		return false
	}
	if savedAs[method] != "" {
		if _, err := x.Host.Fsys.Stat(x.Host.listsName(x.Number, kind, method)); err != nil {
			return true
		}
	}
	saved, wanted := x.openCodes(kind), x.identities(v, kind)
	if saved == nil {
		return true
	}
	groups := countOf(wanted)
	_, count := saved.current(wanted)
	if err := saved.file.Close(); err != nil {
		x.Host.Logger.Debug("close codes of vectors", "error", err)
	}
	return worthSaving(groups-count, groups)
}
