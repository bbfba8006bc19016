package auth

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseTokens(t *testing.T) {
	var list []Token
	secrets := map[Scope]string{}
	for _, scope := range []Scope{ScopeRead, ScopeWrite, ScopeAdmin} {
		token, secret, err := NewToken(scope.String()+"er", scope)
		if err != nil {
			t.Fatal(err)
		}
		list, secrets[scope] = append(list, token), secret
	}
	text := fmt.Sprintf("# people\n\n%s\n  %s  \n%s\n", list[0], list[1], list[2])
	parsed, err := ParseTokens(strings.NewReader(text))
	if err != nil || len(parsed) != 3 || parsed[1] != list[1] {
		t.Fatalf("parsed %v, %v", parsed, err)
	}
	if found, ok := Find(parsed, secrets[ScopeWrite]); !ok || found.Scope != ScopeWrite {
		t.Errorf("found %v, %v", found, ok)
	}
	hash := strings.Repeat("ab", 32)
	for _, bad := range []string{
		"name read", "name none " + hash, "name superuser " + hash, "name read abcd", "name read " + hash + "ff", "n/m read " + hash,
		"a read " + hash + "\na write " + strings.Repeat("cd", 32), strings.Repeat("x", 600), "name read " + strings.Repeat("zz", 32),
	} {
		_, err := ParseTokens(strings.NewReader(bad))
		if err == nil {
			t.Errorf("%.40q was taken", bad)
		} else if strings.Contains(err.Error(), hash) {
			t.Errorf("%q shows a hash", err)
		}
	}
	for _, name := range []string{"", "a b", strings.Repeat("x", 65)} {
		if _, _, err := NewToken(name, ScopeRead); err == nil {
			t.Errorf("a token named %q was made", name)
		}
	}
}

func FuzzParseTokens(f *testing.F) {
	f.Add("a read " + strings.Repeat("ab", 32))
	f.Add("# x\n\n a  write  00")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := ParseTokens(strings.NewReader(text))
		if err != nil {
			return
		}
		var lines strings.Builder
		for _, token := range parsed {
			fmt.Fprintln(&lines, token)
		}
		again, err := ParseTokens(strings.NewReader(lines.String()))
		if err != nil || len(again) != len(parsed) {
			t.Errorf("%q does not survive: %v", lines.String(), err)
		}
	})
}

// TestLinesOfTokens: a line that was written is read the same, and older lines still are.
func TestLinesOfTokens(t *testing.T) {
	token, _, err := NewToken("a", ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	for _, edit := range []func(*Token){
		func(*Token) {}, func(t *Token) { t.Expires = time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC) },
		func(t *Token) { t.Made, t.Expires = time.Unix(1e9, 0).UTC(), time.Unix(2e9, 0).UTC() },
	} {
		written := token
		edit(&written)
		if read, err := ParseTokens(strings.NewReader(written.String())); err != nil || len(read) != 1 || read[0] != written {
			t.Errorf("%s is read as %v, %v", written, read, err)
		}
	}
	for _, wrong := range []string{" x", " expires=", " expires=never", " made=1", " expires=2027-01-02"} {
		if _, err := ParseTokens(strings.NewReader(token.String() + wrong)); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
