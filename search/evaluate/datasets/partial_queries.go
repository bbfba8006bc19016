package datasets

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"slices"
	"strings"
)

// Truth is what a picture holds, all of it. It is the layout of truth.json,
// which may lie beside an annotation file: an object from file names to this.
type Truth struct {
	Things []Thing `json:"things"`
	// Background is the name of the setting, such as "grass" or "red".
	Background string `json:"background"`
}

// Thing is one kind of thing in a picture, and how many of it there are.
type Thing struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
	// Boxes say where they are, as far as they are seen; none where that is not known.
	Boxes []Box `json:"boxes,omitempty"`
}

// Box is left, top, right and bottom in pixels, right and bottom excluded.
type Box [4]int

// The forms of partial queries.
const (
	FormBare    = "bare"    // cat
	FormOne     = "one"     // a cat
	FormCounted = "counted" // two cats
	FormPlace   = "place"   // a cat on the grass
	FormPair    = "pair"    // a cat and a pizza
	FormHead    = "head"    // a book, where the kinds are green book and red book
)

// ReadTruth reads truth.json; nil where there is none.
func ReadTruth(fsys fs.FS) (map[string]Truth, error) {
	var truth map[string]Truth
	err := readJSON(fsys, "truth.json", &truth)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return truth, err
}

// kindTruth is where one kind is: the count by picture, 0 where it is unclear
// whether a picture has it, as a pine tree is a tree.
type kindTruth map[string]int

// partialQueries makes short queries, such as people type, out of what pictures
// hold: a kind, so many of it, a kind in a place, two kinds. Each names only a
// part of its pictures. The right answers follow from the truth. Combinations
// that no picture has are among them: they have no right answer. A query
// belongs to the split that its first kind was dealt to.
func partialQueries(truth map[string]Truth) []Query {
	kinds, places := surveyTruth(truth)
	names := sortedKeys(kinds)
	var queries []Query
	for i, name := range names {
		kind := kinds[name]
		split := []string{"val", "test"}[hashOf(name)%2]
		add := func(form, text string, fits func(count int) answer, also map[string]int) {
			queries = append(queries, kind.query(form, text, split, fits, also))
		}
		add(FormBare, name, atLeastOne, nil)
		if one := WithArticle(name); one != name {
			add(FormOne, one, atLeastOne, nil)
		}
		for _, count := range []int{2, 3} {
			if plural, ok := pluralOf(name); ok {
				add(FormCounted, countWord(count)+" "+plural, exactly(count), nil)
			}
		}
		// One place where the kind is and one where it is not, one neighbour it
		// has and one it has not, each by the hash of its name.
		for _, present := range []bool{true, false} {
			if place, ok := choose(name, sortedKeys(places), func(place string) bool { return overlaps(kind, places[place]) == present }); ok {
				add(FormPlace, WithArticle(name)+" "+placePhrase(place), atLeastOne, places[place])
			}
			others := slices.Concat(names[i+1:], names[:i])
			if other, ok := choose(name, others, func(other string) bool {
				return overlaps(kind, kinds[other]) == present && !related(name, other)
			}); ok {
				add(FormPair, WithArticle(name)+" and "+WithArticle(other), atLeastOne, kinds[other])
			}
		}
	}
	return append(queries, headQueries(kinds)...)
}

// answer says whether a picture answers a query.
type answer int

const (
	answerNo answer = iota
	answerUnclear
	answerYes
)

// atLeastOne takes the singular: one is right, and whether several are is for
// each reader to say.
func atLeastOne(count int) answer {
	if count == 1 {
		return answerYes
	}
	return answerUnclear
}

func exactly(wanted int) func(int) answer {
	return func(count int) answer {
		switch {
		case count == wanted:
			return answerYes
		case count == 0 || count > wanted:
			return answerUnclear
		}
		return answerNo
	}
}

// query makes a query of a kind whose pictures, if also is given, must stand in
// it too.
func (k kindTruth) query(form, text, split string, fits func(int) answer, also map[string]int) Query {
	query := Query{Query: text, Split: split, Form: form}
	for _, picture := range sortedKeys(k) {
		result := fits(k[picture])
		if also != nil {
			count, there := also[picture]
			switch {
			case !there:
				result = answerNo
			case count != 1:
				result = min(result, answerUnclear)
			}
		}
		switch result {
		case answerYes:
			query.Images = append(query.Images, picture)
		case answerUnclear:
			query.Unclear = append(query.Unclear, picture)
		}
	}
	return query
}

// surveyTruth turns the truth around: for each kind and each place the pictures.
func surveyTruth(truth map[string]Truth) (kinds map[string]kindTruth, places map[string]map[string]int) {
	kinds, places = map[string]kindTruth{}, map[string]map[string]int{}
	for picture, held := range truth {
		if places[held.Background] == nil {
			places[held.Background] = map[string]int{}
		}
		places[held.Background][picture] = 1
		for _, thing := range held.Things {
			if kinds[thing.Kind] == nil {
				kinds[thing.Kind] = kindTruth{}
			}
			kinds[thing.Kind][picture] = thing.Count
		}
	}
	for name, kind := range kinds {
		for other, pictures := range kinds {
			if other == name || !related(name, other) {
				continue
			}
			for picture := range pictures {
				if _, there := kind[picture]; !there {
					kind[picture] = 0
				}
			}
		}
	}
	return kinds, places
}

// related reports whether two kinds share their last word or one's name holds
// the other's, so that one may be called the other: a police car is a car.
func related(a, b string) bool {
	return lastWord(a) == lastWord(b) || strings.Contains(" "+a+" ", " "+b+" ") || strings.Contains(" "+b+" ", " "+a+" ")
}

func lastWord(name string) string { return name[strings.LastIndexByte(name, ' ')+1:] }

// headQueries ask for what several kinds have in common: "a book" for green
// books and red ones.
func headQueries(kinds map[string]kindTruth) []Query {
	heads := map[string][]string{}
	for _, name := range sortedKeys(kinds) {
		head := lastWord(name)
		if head != name && !strings.Contains(name, " of ") {
			heads[head] = append(heads[head], name)
		}
	}
	var queries []Query
	for _, head := range sortedKeys(heads) {
		if len(heads[head]) < 2 || kinds[head] != nil {
			continue
		}
		all := kindTruth{}
		for _, name := range heads[head] {
			for picture, count := range kinds[name] {
				all[picture] = max(all[picture], min(count, 1))
			}
		}
		queries = append(queries, all.query(FormHead, WithArticle(head), []string{"val", "test"}[hashOf(head)%2], atLeastOne, nil))
	}
	return queries
}

// overlaps reports whether some picture surely holds both.
func overlaps(a, b map[string]int) bool {
	for picture, count := range a {
		if count > 0 && b[picture] > 0 {
			return true
		}
	}
	return false
}

// choose takes one of the names that fit, by the hash of another name.
func choose(seed string, names []string, fits func(string) bool) (string, bool) {
	var fitting []string
	for _, name := range names {
		if fits(name) {
			fitting = append(fitting, name)
		}
	}
	if len(fitting) == 0 {
		return "", false
	}
	return fitting[hashOf(seed+"\x00")%uint32(len(fitting))], true
}

func hashOf(text string) uint32 {
	hash := fnv.New32a()
	hash.Write([]byte(text))
	sum := hash.Sum32()
	return sum ^ sum>>15 ^ sum>>7 // FNV's low bits alone follow the last letters
}

// placePhrase says where: settings that are a colour are plain walls.
func placePhrase(place string) string {
	phrases := map[string]string{
		"grass": "on the grass", "sea": "in the sea", "night": "at night", "sky": "in the sky", "sunset": "at sunset", "desk": "on a desk",
		"snow": "in the snow", "sand": "on the sand", "brick": "in front of a brick wall", "stone": "on the pavement", "forest": "in the forest",
		"checker": "on a checkered cloth", "stripes": "in front of stripes",
	}
	if phrase, ok := phrases[place]; ok {
		return phrase
	}
	return fmt.Sprintf("on a %s background", place)
}

func countWord(count int) string { return []string{"no", "one", "two", "three", "four", "five"}[count] }

// WithArticle puts the article before a name of one thing.
func WithArticle(name string) string {
	switch lastWord(name) {
	case "broccoli", "corn", "cheese", "popcorn", "fire":
		return "some " + name
	case "scissors", "glasses", "jeans", "fries":
		return name
	}
	if strings.ContainsRune("aeiou", rune(name[0])) && !strings.HasPrefix(name, "uni") && !strings.HasPrefix(name, "uf") {
		return "an " + name
	}
	return "a " + name
}

// pluralOf gives the plural of a name; false for names that are not counted.
func pluralOf(name string) (string, bool) {
	if head, rest, ok := strings.Cut(name, " of "); ok {
		plural, ok := pluralOf(head)
		return plural + " of " + rest, ok
	}
	start, last := name[:len(name)-len(lastWord(name))], lastWord(name)
	irregular := map[string]string{
		"mouse": "mice", "wolf": "wolves", "sheep": "sheep", "deer": "deer", "fish": "fish", "leaf": "leaves", "die": "dice",
		"broccoli": "", "corn": "", "cheese": "", "popcorn": "", "fire": "", "scissors": "", "glasses": "", "jeans": "", "fries": "",
		"cherries": "", "pancakes": "", "noodles": "", "beer": "", "wine": "", "milk": "", "coffee": "",
	}
	if plural, ok := irregular[last]; ok {
		return start + plural, plural != ""
	}
	switch {
	case strings.HasSuffix(last, "s"), strings.HasSuffix(last, "x"), strings.HasSuffix(last, "ch"), strings.HasSuffix(last, "sh"):
		return name + "es", true
	case strings.HasSuffix(last, "y") && !strings.ContainsRune("aeiou", rune(last[len(last)-2])):
		return name[:len(name)-1] + "ies", true
	}
	return name + "s", true
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
