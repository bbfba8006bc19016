package form

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"mekiki/index"
)

// Record is a record as its object has it, and where its vectors are.
type Record struct {
	index.Record
	// Spaces are the vectors of the record by the number of their space.
	Spaces map[int]Vectors
	// Thumbnail is the mark in the name of the thumbnail; see [NewMark].
	Thumbnail string
	// Gone is the mark of the write that removes the record, and is about to delete its object:
	// for everybody else there is no such record any more.
	Gone string
}

// Vectors says which objects have a record's vectors in a space.
type Vectors struct {
	// Vectors and Tokens are of the names of the objects, see [Name]; "" for no tokens.
	Vectors string `json:"vectors"`
	Tokens  string `json:"tokens,omitempty"`
	// Count is the number of vectors.
	Count int `json:"count"`
}

// recordJSON shadows what encoding/json would write otherwise than it is.
type recordJSON struct {
	index.Record
	Hash   string             `json:"Hash"`
	Files  []fileJSON         `json:"Files,omitempty"`
	Spaces map[string]Vectors `json:"Spaces,omitempty"`
	// Thumbnail and Gone are as in Record.
	Thumbnail string `json:"Thumbnail,omitempty"`
	Gone      string `json:"Gone,omitempty"`
	// Version is that of the form.
	Version int `json:"Version"`
}

type fileJSON struct {
	index.File
	Path rawText `json:"Path"`
	Name rawText `json:"Name,omitempty"`
}

// rawText is a text that need not be UTF-8, as names of files are: then it is written in
// base 64, after a character that no name has.
type rawText string

const rawMark = "\x00base64:"

func (r rawText) MarshalJSON() ([]byte, error) {
	text := string(r)
	if !utf8.ValidString(text) {
		text = rawMark + base64.StdEncoding.EncodeToString([]byte(text))
	}
	return json.Marshal(text)
}

func (r *rawText) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	*r = rawText(text)
	if len(text) > len(rawMark) && text[:len(rawMark)] == rawMark {
		raw, err := base64.StdEncoding.DecodeString(text[len(rawMark):])
		if err != nil {
			return err
		}
		*r = rawText(raw)
	}
	return nil
}

// Encode gives the bytes of the record's object.
func (s *Record) Encode() ([]byte, error) {
	form := recordJSON{Record: s.Record, Hash: s.Hash.String(), Thumbnail: s.Thumbnail, Gone: s.Gone, Version: Version}
	for _, file := range s.Files {
		form.Files = append(form.Files, fileJSON{file, rawText(file.Path), rawText(file.Name)})
	}
	if len(s.Spaces) > 0 {
		form.Spaces = map[string]Vectors{}
		for number, vectors := range s.Spaces {
			form.Spaces[strconv.Itoa(number)] = vectors
		}
	}
	data, err := json.Marshal(form)
	if err != nil {
		return nil, fmt.Errorf("encode record %d: %w", s.ID, err)
	}
	return data, nil
}

// Decode reads what [Record.Encode] gives; the error is index.ErrDamaged for anything else.
func Decode(data []byte) (*Record, error) {
	var form recordJSON
	if err := json.Unmarshal(data, &form); err != nil {
		return nil, fmt.Errorf("read a record: %w: %w", index.ErrDamaged, err)
	}
	s := &Record{Record: form.Record, Spaces: map[int]Vectors{}, Thumbnail: form.Thumbnail, Gone: form.Gone}
	if form.Version != Version {
		return nil, fmt.Errorf("read a record: %w %d", index.ErrVersion, form.Version)
	}
	if n, err := hex.Decode(s.Hash[:], []byte(form.Hash[:min(len(form.Hash), 2*len(s.Hash))])); err != nil || n != len(s.Hash) {
		return nil, fmt.Errorf("read record %d: %w: its hash is %q", s.ID, index.ErrDamaged, form.Hash)
	}
	s.Files = nil
	for _, file := range form.Files {
		file.File.Path, file.File.Name = string(file.Path), string(file.Name)
		s.Files = append(s.Files, file.File)
	}
	for number, vectors := range form.Spaces {
		parsed, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("read record %d: %w: space %q", s.ID, index.ErrDamaged, number)
		}
		s.Spaces[parsed] = vectors
	}
	return s, nil
}

// UUID names the object of a record in the engine. The IDs of objects are in the order of
// those of records.
func UUID(id index.ID) string {
	var bytes [16]byte
	binary.BigEndian.PutUint64(bytes[:], uint64(id))
	bytes[8], bytes[15] = 0x80, 1
	text := hex.EncodeToString(bytes[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// ID reads what UUID gives; zero for anything else.
func ID(uuid string) index.ID {
	if len(uuid) != 36 {
		return 0
	}
	id, err := strconv.ParseUint(uuid[:8]+uuid[9:13]+uuid[14:18], 16, 64)
	if err != nil || UUID(index.ID(id)) != uuid {
		return 0
	}
	return index.ID(id)
}
