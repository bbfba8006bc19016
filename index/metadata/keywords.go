package metadata

import (
	"slices"
	"strings"
)

// keywords collects tags: those with levels, then flat ones.
func (s *statements) keywords() []string {
	var paths [][]string
	own := map[string]bool{} // the levels of programs' own tags
	add := func(text, separator string) {
		path := levels(text, separator)
		if isProgramTag(path) {
			for _, level := range path {
				own[strings.ToLower(level)] = true
			}
			return
		}
		paths = append(paths, path)
	}
	flat := slices.Concat(s.sidecar.root.all("dc:subject"), s.xmp.root.all("dc:subject"), s.iptcKeywords(),
		splitList(s.exif.wide(tagXPKeywords)), s.sidecar.root.all("acdsee:keywords"), s.xmp.root.all("acdsee:keywords"),
		splitList(s.text["keywords"]))
	if s.takeout.Favorited {
		flat = append(flat, "favorite")
	}
	for _, x := range []*node{&s.sidecar.root, &s.xmp.root} {
		for _, text := range x.all("lr:hierarchicalSubject", "mediapro:CatalogSets") {
			add(text, "|")
		}
		for _, text := range x.all("digiKam:TagsList", "MicrosoftPhoto:LastKeywordXMP", "MicrosoftPhoto:LastKeywordIPTC") {
			add(text, "/")
		}
		for _, top := range x.fields("mwg-kw:Keywords") {
			paths = append(paths, keywordTree(top.structs("mwg-kw:Hierarchy"), nil, 0)...)
		}
	}
	var kept []string
	for _, text := range flat {
		if strings.Contains(text, "|") {
			add(text, "|")
			continue
		}
		kept = append(kept, text)
	}
	kept = slices.DeleteFunc(kept, func(text string) bool { return own[strings.ToLower(strings.TrimSpace(text))] })
	return mergeKeywords(paths, kept)
}

// isProgramTag tells the tags in which darktable and digiKam keep what they did with a
// picture. They write each level of such a tag among the flat ones too.
func isProgramTag(path []string) bool {
	return len(path) > 0 && (strings.EqualFold(path[0], "darktable") || strings.EqualFold(path[0], "_Digikam_Internal_Tags_"))
}

// levels splits a tag.
func levels(text, separator string) []string {
	var kept []string
	for _, level := range strings.SplitN(text, separator, maxLevels) {
		if level = clean(level, maxKeyword); level != "" {
			kept = append(kept, level)
		}
	}
	return kept
}

// keywordTree gives the paths to the leaves of a tree of keywords.
func keywordTree(nodes []*node, above []string, depth int) (paths [][]string) {
	for _, each := range nodes {
		text := each.first("mwg-kw:Keyword")
		if text == "" || depth > maxDepth || len(paths) > maxKeywords {
			continue
		}
		path := append(slices.Clone(above), text)
		below := keywordTree(each.structs("mwg-kw:Children"), path, depth+1)
		if len(below) == 0 {
			below = [][]string{path}
		}
		paths = append(paths, below...)
	}
	return paths
}

// mergeKeywords leaves out what another tag says already: a path above another one, and
// a flat tag that is a level of a path.
func mergeKeywords(paths [][]string, flat []string) []string {
	implied := map[string]bool{}
	paths = paths[:min(len(paths), 10*maxKeywords)]
	for _, path := range paths {
		for i, level := range path {
			implied[strings.ToLower(level)] = len(path) > 1 || implied[strings.ToLower(level)]
			if i > 0 {
				implied[strings.ToLower(strings.Join(path[:i], "/"))] = true
			}
		}
	}
	var kept []string
	seen := map[string]bool{}
	add := func(text string, hasLevels bool) {
		text = clean(text, maxKeyword)
		folded := strings.ToLower(text)
		if text == "" || seen[folded] || implied[folded] && !hasLevels || len(kept) >= maxKeywords {
			return
		}
		seen[folded] = true
		kept = append(kept, text)
	}
	for _, path := range paths {
		text := strings.Join(path, "/")
		above := implied[strings.ToLower(text)]
		add(text, len(path) > 1 && !above)
	}
	for _, text := range flat {
		add(text, false)
	}
	return kept
}

// iptcKeywords leaves out those that are the beginning of a longer one of XMP: IPTC
// has room for 64 bytes.
func (s *statements) iptcKeywords() (kept []string) {
	whole := s.xmp.root.all("dc:subject")
	for _, text := range s.iptc.texts[iptcKeyword] {
		text = strings.TrimSpace(strings.Trim(text, "\x00"))
		isCut := len(text) >= iptcKeywordBytes-3 && slices.ContainsFunc(whole, func(long string) bool {
			return len(long) > len(text) && strings.HasPrefix(long, text)
		})
		if !isCut {
			kept = append(kept, text)
		}
	}
	return kept
}

// splitList splits a list that is one text: at semicolons, or at commas where there
// are none.
func splitList(text string) []string {
	separator := ";"
	if !strings.Contains(text, separator) {
		separator = ","
	}
	return strings.SplitN(text, separator, 10*maxKeywords)
}

// people gives the names of those in the picture.
func (s *statements) people() []string {
	var names []string
	for _, x := range []*node{&s.sidecar.root, &s.xmp.root} {
		names = append(names, x.all("Iptc4xmpExt:PersonInImage")...)
		for _, person := range x.structs("Iptc4xmpExt:PersonInImageWDetails") {
			names = append(names, person.first("Iptc4xmpExt:PersonName"))
		}
		for _, info := range x.fields("mwg-rs:Regions") {
			for _, region := range info.structs("mwg-rs:RegionList") {
				if kind := region.first("mwg-rs:Type"); kind == "" || strings.EqualFold(kind, "Face") {
					names = append(names, region.first("mwg-rs:Name"))
				}
			}
		}
		for _, info := range x.fields("MP:RegionInfo") {
			for _, region := range info.structs("MPRI:Regions") {
				names = append(names, region.first("MPReg:PersonDisplayName"))
			}
		}
		names = append(names, x.all("mediapro:People")...)
		names = append(names, peopleTags(x.all("lr:hierarchicalSubject"), "|")...)
		names = append(names, peopleTags(x.all("digiKam:TagsList"), "/")...)
	}
	names = append(names, s.takeout.people()...)
	return uniqueTexts(names, maxPeople)
}

// peopleTags gives the names below the tag "People", where digiKam keeps them.
func peopleTags(tags []string, separator string) (names []string) {
	for _, tag := range tags {
		if path := levels(tag, separator); len(path) > 1 && strings.EqualFold(path[0], "People") {
			names = append(names, path[len(path)-1])
		}
	}
	return names
}

// uniqueTexts gives each text once, whatever its case.
func uniqueTexts(list []string, limit int) []string {
	var kept []string
	seen := map[string]bool{}
	for _, text := range list {
		text = clean(text, maxKeyword)
		if folded := strings.ToLower(text); text != "" && !seen[folded] && len(kept) < limit {
			seen[folded] = true
			kept = append(kept, text)
		}
	}
	return kept
}
