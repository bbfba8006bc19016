package ingest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/ingest/rules"
	"mekiki/index/local"
)

// life is a folder of pictures to which things happen, and what should have become of
// the tags.
type life struct {
	*testing.T
	random  *rand.Rand
	folder  string // of all
	library *local.Library
	engine  *counting
	options Options
	mounts  mounts
	// contents are what the files hold, by path; next is a number for new ones.
	contents map[string]int
	next     int
	// tags are what people gave each content.
	tags map[int]string
	// away are the drives that are, and ignored the folders with .nomedia.
	away, ignored map[string]bool
	story         []string
}

func (l *life) tell(format string, arguments ...any) {
	l.story = append(l.story, fmt.Sprintf(format, arguments...))
}

// folders are where pictures lie; drives those that can be away.
func (l *life) folders() []string { return []string{"a", "b/deep", "drive1", "drive2/deep", "c"} }
func (l *life) drives() []string  { return []string{"drive1", "drive2"} }

func (l *life) root() string { return filepath.Join(l.folder, "photos") }

// hidden reports whether the run cannot see a path.
func (l *life) hidden(path string) bool {
	for folder := range l.away {
		if inside(path, filepath.Join(l.root(), folder)) {
			return true
		}
	}
	return l.excluded(path)
}

func (l *life) excluded(path string) bool {
	for folder := range l.ignored {
		if inside(path, filepath.Join(l.root(), folder)) {
			return true
		}
	}
	return false
}

// visible lists the paths that a run sees, in order.
func (l *life) visible() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.contents)), l.hidden)
}

// place gives a path that nothing has, in a folder that is there.
func (l *life) place() string {
	for {
		path := filepath.Join(l.root(), l.folders()[l.random.IntN(len(l.folders()))], fmt.Sprint(l.random.IntN(1000), ".jpg"))
		if _, taken := l.contents[path]; !taken && !l.hidden(path) {
			return path
		}
	}
}

func (l *life) write(path string, content int) {
	write(l, testImage(l, uint64(content), 16, 12), path)
	l.contents[path] = content
}

// elsewhere reports whether a file that the library knows holds a content.
func (l *life) elsewhere(content int) bool {
	for path, other := range l.contents {
		if other == content && !l.excluded(path) {
			return true
		}
	}
	return false
}

// step lets one thing happen.
func (l *life) step() {
	paths := l.visible()
	if len(paths) < 4 {
		path := l.place()
		l.next++
		l.write(path, l.next)
		l.tell("new %s", path)
		return
	}
	path := paths[l.random.IntN(len(paths))]
	content := l.contents[path]
	switch l.random.IntN(10) {
	case 0:
		target := l.place()
		l.next++
		l.write(target, l.next)
		l.tell("new %s", target)
	case 1:
		target := l.place()
		must(l, os.MkdirAll(filepath.Dir(target), 0o755))
		must(l, os.Rename(path, target))
		l.contents[target] = content
		delete(l.contents, path)
		l.tell("move %s to %s", path, target)
	case 2:
		target := l.place()
		l.write(target, content)
		l.tell("copy %s to %s", path, target)
	case 3, 4:
		l.next++
		l.write(path, l.next)
		if !l.elsewhere(content) {
			l.tags[l.next] = l.tags[content]
			delete(l.tags, content)
		}
		l.tell("edit %s from %d to %d", path, content, l.next)
	case 5:
		other := paths[l.random.IntN(len(paths))]
		if other == path {
			return
		}
		must(l, os.Rename(path, path+".aside"))
		must(l, os.Rename(other, path))
		must(l, os.Rename(path+".aside", other))
		l.contents[path], l.contents[other] = l.contents[other], content
		l.tell("swap %s and %s", path, other)
	case 6:
		if l.lastOfDrive(path) {
			return // another drive could be in its place
		}
		must(l, os.Remove(path))
		delete(l.contents, path)
		write(l, nil, filepath.Dir(path), "keep.txt") // it is no drive's that is away
		l.tell("delete %s (%d)", path, content)
	case 7:
		l.unmount()
	case 8:
		l.ignore()
	case 9: // what was deleted comes back
		lost := slices.DeleteFunc(slices.Sorted(maps.Keys(l.tags)), l.elsewhere)
		if len(lost) > 0 {
			target := l.place()
			l.write(target, lost[0])
			l.tell("restore %d as %s", lost[0], target)
		}
	}
}

// lastOfDrive reports whether a drive would hold no picture without this one.
func (l *life) lastOfDrive(path string) bool {
	for _, name := range l.drives() {
		drive := filepath.Join(l.root(), name)
		if !inside(path, drive) {
			continue
		}
		for other := range l.contents {
			if other != path && inside(other, drive) {
				return false
			}
		}
		return true
	}
	return false
}

// unmount takes a drive away in one of three ways, or brings it back.
func (l *life) unmount() {
	name := l.drives()[l.random.IntN(len(l.drives()))]
	drive, aside := filepath.Join(l.root(), name), filepath.Join(l.folder, "aside-"+name)
	if l.away[name] {
		must(l, os.RemoveAll(drive))
		must(l, os.Rename(aside, drive))
		delete(l.away, name)
		l.mounts[drive] = true
		l.tell("mount %s", name)
		return
	}
	if os.Rename(drive, aside) != nil {
		return // nothing is on it
	}
	l.away[name], l.mounts[drive] = true, false
	way := l.random.IntN(3)
	switch way {
	case 0:
		must(l, os.Mkdir(drive, 0o755))
	case 1:
		write(l, nil, drive, "not mounted.txt")
	}
	l.tell("unmount %s, way %d", name, way)
}

// ignore leaves a folder out, or takes it in again.
func (l *life) ignore() {
	name := []string{"a", "b"}[l.random.IntN(2)]
	rule := filepath.Join(l.root(), name, rules.NoMediaName)
	if l.ignored[name] {
		delete(l.ignored, name)
		must(l, os.Remove(rule))
	} else {
		l.ignored[name] = true
		write(l, nil, rule)
	}
	l.tell("%s is left out: %v", name, l.ignored[name])
}

// check runs and compares. Pictures without a tag that are new get one.
func (l *life) check() {
	mustRun(l, l.library, l.engine, l.options)
	for path, content := range l.contents {
		if l.excluded(path) {
			continue
		}
		snapshot := l.library.Snapshot()
		record, known := indextest.RecordByPath(l, snapshot, path)
		must(l, snapshot.Close())
		if !known && !l.hidden(path) {
			l.Fatalf("%s is not in the library after:\n%q", path, l.story)
		}
		if !known {
			continue // it came to the drive since the last run
		}
		want := []string{l.tags[content]}
		if l.tags[content] == "" {
			want = nil
		}
		if !slices.Equal(record.Tags, want) {
			l.Fatalf("%s (%d) has the tags %q, want %q, after:\n%q", path, content, record.Tags, want, l.story)
		}
	}
	for path, content := range l.contents {
		if l.tags[content] == "" && !l.hidden(path) {
			l.tags[content] = fmt.Sprint("tag ", content)
			must(l, index.Tag(l.Context(), l.library, []index.ID{idOf(l, l.library, path)}, l.tags[content]))
		}
	}
}

// TestTagsFollowTheirPictures lets pictures be moved, copied, edited, swapped, deleted,
// restored, unmounted and left out at random, and holds that every picture has its tags
// after every run.
func TestTagsFollowTheirPictures(t *testing.T) {
	lives, steps := 4, 40
	if asked, err := strconv.Atoi(os.Getenv("MEKIKI_TEST_LIVES")); err == nil {
		lives, steps = asked, 200
	}
	for seed := range lives {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			folder := t.TempDir()
			l := &life{
				T: t, random: rand.New(rand.NewPCG(uint64(seed), 5)), folder: folder, library: openLibrary(t, filepath.Join(folder, "library")),
				engine: newCounting("one"), mounts: mounts{}, contents: map[string]int{}, tags: map[int]string{}, away: map[string]bool{}, ignored: map[string]bool{},
			}
			for _, drive := range l.drives() {
				l.mounts[filepath.Join(l.root(), drive)] = true
			}
			must(t, os.MkdirAll(l.root(), 0o755))
			l.options = Options{Paths: []string{l.root()}, device: l.mounts.device}
			for range steps {
				l.step()
				l.check()
			}
		})
	}
}
