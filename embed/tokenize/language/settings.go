package language

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// settings is what tokenizer_config.json, special_tokens_map.json and
// added_tokens.json say.
type settings struct {
	class            string // of transformers, without "Fast"
	addStart, addEnd bool
	start, end       *addedToken
	unknown, padding *addedToken
	named            []addedToken // those with a role, in transformers' order
	extra            []addedToken
	added            []addedToken // in the order of their ids
	prefixSpace      *bool
	legacy           *bool
	cleanUp          bool
	cutLeft          bool
	extraIDs         *int
}

// settingsData is tokenizer_config.json.
type settingsData struct {
	Class          string                `json:"tokenizer_class"`
	AddStart       *bool                 `json:"add_bos_token"`
	AddEnd         *bool                 `json:"add_eos_token"`
	PrefixSpace    *bool                 `json:"add_prefix_space"`
	Legacy         *bool                 `json:"legacy"`
	CleanUp        *bool                 `json:"clean_up_tokenization_spaces"`
	TruncationSide string                `json:"truncation_side"`
	ExtraIDs       *int                  `json:"extra_ids"`
	Decoder        map[string]addedToken `json:"added_tokens_decoder"`
	tokenRoles
}

// tokenRoles are the special tokens with a role, in both files that have them.
type tokenRoles struct {
	Start      tokenData   `json:"bos_token"`
	End        tokenData   `json:"eos_token"`
	Unknown    tokenData   `json:"unk_token"`
	Separator  tokenData   `json:"sep_token"`
	Padding    tokenData   `json:"pad_token"`
	Class      tokenData   `json:"cls_token"`
	Mask       tokenData   `json:"mask_token"`
	Additional []tokenData `json:"additional_special_tokens"`
	Extra      extraData   `json:"extra_special_tokens"`
}

// tokenData is a special token: a string, or an object with its properties. set
// says that the file has it.
type tokenData struct {
	token addedToken
	set   bool
}

func (t *tokenData) UnmarshalJSON(data []byte) error {
	*t = tokenData{}
	if string(data) == "null" {
		return nil
	}
	if data[0] == '"' {
		t.token.Special = true
		t.set = true
		return json.Unmarshal(data, &t.token.Content)
	}
	object := struct {
		addedToken
		Normalized *bool `json:"normalized"`
	}{}
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	t.token = object.addedToken
	t.token.Special = true
	t.token.Normalized = valueOr(object.Normalized, false)
	t.set = true
	return nil
}

// extraData are special tokens without a role: a list, or an object whose values
// they are.
type extraData []tokenData

func (e *extraData) UnmarshalJSON(data []byte) error {
	*e = nil
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]tokenData)(e))
	}
	var object map[string]tokenData
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	var names []string
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		*e = append(*e, object[name])
	}
	return nil
}

// readSettings reads the three files, of which none need be there.
func readSettings(files map[string][]byte) (*settings, error) {
	var data settingsData
	if content := files[settingsFile]; content != nil {
		if err := readJSON(content, &data, 8*maximumAdded); err != nil {
			return nil, fmt.Errorf("%s: %w", settingsFile, err)
		}
	}
	s := &settings{
		class:       strings.TrimSuffix(data.Class, "Fast"),
		prefixSpace: data.PrefixSpace,
		legacy:      data.Legacy,
		cleanUp:     valueOr(data.CleanUp, false),
		cutLeft:     data.TruncationSide == "left",
		extraIDs:    data.ExtraIDs,
	}
	if files[tokenizerFile] == nil {
		s.addStart, s.addEnd = valueOr(data.AddStart, false), valueOr(data.AddEnd, false)
	}
	roles := data.tokenRoles
	if data.Decoder == nil && files[specialsFile] != nil {
		if err := readJSON(files[specialsFile], &roles, 8*maximumAdded); err != nil {
			return nil, fmt.Errorf("%s: %w", specialsFile, err)
		}
	}
	s.readRoles(roles)
	if data.Decoder != nil {
		return s, s.readDecoder(data.Decoder)
	}
	return s, s.readAdded(files[addedFile])
}

// readRoles notes the special tokens with a role and those without.
func (s *settings) readRoles(roles tokenRoles) {
	for _, role := range []struct {
		data tokenData
		at   **addedToken
	}{
		{roles.Start, &s.start}, {roles.End, &s.end}, {roles.Unknown, &s.unknown},
		{roles.Separator, nil}, {roles.Padding, &s.padding}, {roles.Class, nil}, {roles.Mask, nil},
	} {
		if !role.data.set {
			continue
		}
		token := role.data.token
		if role.at != nil {
			*role.at = &token
		}
		s.named = append(s.named, token)
	}
	extra := []tokenData(roles.Extra)
	if len(extra) == 0 {
		extra = roles.Additional
	}
	for _, data := range extra {
		if data.set {
			s.extra = append(s.extra, data.token)
		}
	}
}

// readDecoder notes the added tokens of tokenizer_config.json.
func (s *settings) readDecoder(decoder map[string]addedToken) error {
	type numbered struct {
		id    int64
		token addedToken
	}
	var list []numbered
	for key, token := range decoder {
		id, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return fmt.Errorf("%s: the added token %q has the id %q", settingsFile, token.Content, key)
		}
		list = append(list, numbered{id, token})
	}
	slices.SortFunc(list, func(a, b numbered) int { return cmp.Compare(a.id, b.id) })
	for _, one := range list {
		s.added = append(s.added, one.token)
	}
	return nil
}

// readAdded notes the tokens of added_tokens.json.
func (s *settings) readAdded(content []byte) error {
	if content == nil {
		return nil
	}
	var ids map[string]int64
	if err := readJSON(content, &ids, 8*maximumAdded); err != nil {
		return fmt.Errorf("%s: %w", addedFile, err)
	}
	var tokens []string
	for token := range ids {
		tokens = append(tokens, token)
	}
	slices.SortFunc(tokens, func(a, b string) int { return cmp.Or(cmp.Compare(ids[a], ids[b]), cmp.Compare(a, b)) })
	for _, token := range tokens {
		special := slices.ContainsFunc(append(s.named, s.extra...), func(t addedToken) bool { return t.Content == token })
		s.added = append(s.added, addedToken{Content: token, Normalized: !special, Special: special})
	}
	return nil
}
