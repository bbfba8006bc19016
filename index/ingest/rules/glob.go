package rules

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/internal/hint"
)

// checkGlob refuses a glob that can never match.
func checkGlob(glob string) error {
	for _, element := range strings.Split(glob, "/") {
		if _, err := path.Match(element, ""); err != nil {
			return fmt.Errorf("glob %q: %w", glob, err)
		}
	}
	if glob == "" {
		return fmt.Errorf("a glob is empty")
	}
	return nil
}

// CheckGlobOfOption refuses a glob of the options that can never match, or that asks for
// what globs here do not know and would silently match nothing.
func CheckGlobOfOption(glob string) error {
	_, after, found := strings.Cut(glob, "{")
	if inside, _, closed := strings.Cut(after, "}"); found && closed && strings.Contains(inside, ",") {
		return hint.Wrap(fmt.Errorf("glob %q: braces have no meaning in globs", glob), "give one glob for each of what stands in the braces")
	}
	return checkGlob(PlainGlob(glob))
}

// PlainGlob gives a glob as the matching below understands it: what shells write
// ("./drafts", "drafts/", "[!a]*") means what it means there.
func PlainGlob(glob string) string {
	glob = strings.TrimPrefix(filepath.ToSlash(glob), "./")
	if short := strings.TrimSuffix(glob, "/"); short != "" {
		glob = short
	}
	return strings.ReplaceAll(glob, "[!", "[^")
}

// MatchGlob matches a glob against a slash-separated relative path: "**"
// stands for any number of folders, and a glob without a slash is about names.
func MatchGlob(glob, name string) bool {
	if !strings.Contains(glob, "/") {
		return matchElement(glob, path.Base(name))
	}
	return matchElements(strings.Split(strings.Trim(glob, "/"), "/"), strings.Split(name, "/"))
}

// matchElements goes through both lists at once. Where they part, the last "**"
// takes one more folder: what an earlier one could take instead, the last one
// can too, so that nothing else needs trying.
func matchElements(globs, names []string) bool {
	at, star, taken := 0, -1, 0
	for i := 0; i < len(names); {
		switch {
		case at < len(globs) && globs[at] == "**":
			star, taken = at, i
			at++
		case at < len(globs) && matchElement(globs[at], names[i]):
			at++
			i++
		case star >= 0:
			taken++
			at, i = star+1, taken
		default:
			return false
		}
	}
	for at < len(globs) && globs[at] == "**" {
		at++
	}
	return at == len(globs)
}

func matchElement(glob, name string) bool {
	matched, err := path.Match(glob, name)
	return err == nil && matched
}

// MatchAny matches a path below a root. A glob from the root of the file system may
// be about the whole path.
func MatchAny(globs []string, root, relative string) bool {
	whole := ""
	return slices.ContainsFunc(globs, func(glob string) bool {
		if MatchGlob(glob, relative) {
			return true
		}
		if !filepath.IsAbs(filepath.FromSlash(glob)) {
			return false
		}
		if whole == "" {
			whole = strings.Trim(filepath.ToSlash(root), "/") + "/" + relative
		}
		return MatchGlob(glob, strings.TrimPrefix(whole, "/"))
	})
}
