package prepared

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"mekiki/embed"
	"mekiki/index"
)

// Collection is what a model made of pictures and texts.
type Collection struct {
	// Checkpoint is the hash of the checkpoint's files, as models of checkpoints inside the program have it in their names.
	Checkpoint string
	// Parts is the number of vectors of a picture, and Width the length of a vector.
	Parts, Width int
	Pictures     []Picture
	Texts        []Text
}

// Picture is what is known of a picture.
type Picture struct {
	Hash           index.Hash // of its file
	Format         string
	Width, Height  int
	Bytes          int64
	PerceptualHash uint64
	Captions       []index.Caption // their Model is not kept
	Vectors        embed.Parts
}

// Text is a text and its vector.
type Text struct {
	Text   string
	Vector embed.Vector
}

// header is the form of index.json. The vectors of pictures and then of texts are in index.vectors, in this order, an
// element in a byte: since they have unit length, only the proportions of the elements matter.
type header struct {
	Checkpoint string    `json:"checkpoint"`
	Parts      int       `json:"parts"`
	Width      int       `json:"width"`
	Pictures   []picture `json:"pictures"`
	Texts      []string  `json:"texts"`
}

type picture struct {
	Hash           string    `json:"hash"`
	Format         string    `json:"format"`
	Width          int       `json:"width"`
	Height         int       `json:"height"`
	Bytes          int64     `json:"bytes"`
	PerceptualHash string    `json:"perceptual_hash"`
	Captions       []caption `json:"captions"`
}

type caption struct {
	Text  string  `json:"text"`
	Match float32 `json:"match"`
}

// Read reads a collection. Vectors have unit length.
func Read(files fs.FS) (*Collection, error) {
	text, err := fs.ReadFile(files, indexName)
	if err != nil {
		return nil, fmt.Errorf("read a prepared collection: %w", err)
	}
	vectors, err := fs.ReadFile(files, vectorsName)
	if err != nil {
		return nil, fmt.Errorf("read a prepared collection: %w", err)
	}
	collection, err := decode(text, vectors)
	if err != nil {
		return nil, fmt.Errorf("read a prepared collection: %w", err)
	}
	return collection, nil
}

// decode reads the two files.
func decode(text, vectors []byte) (*Collection, error) {
	var h header
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, err
	}
	if h.Parts < 1 || h.Parts > maximumParts || h.Width < 1 || h.Width > maximumWidth || len(h.Pictures)+len(h.Texts) > maximumItems {
		return nil, errors.New("its sizes are out of range")
	}
	if want := (len(h.Pictures)*h.Parts + len(h.Texts)) * h.Width; len(vectors) != want {
		return nil, fmt.Errorf("%s has %d bytes, want %d", vectorsName, len(vectors), want)
	}
	c := &Collection{Checkpoint: h.Checkpoint, Parts: h.Parts, Width: h.Width}
	for i, p := range h.Pictures {
		own, err := p.decode()
		if err != nil {
			return nil, fmt.Errorf("picture %d: %w", i, err)
		}
		own.Vectors, vectors = decodeParts(vectors, h.Parts, h.Width)
		c.Pictures = append(c.Pictures, own)
	}
	for _, text := range h.Texts {
		var parts embed.Parts
		parts, vectors = decodeParts(vectors, 1, h.Width)
		c.Texts = append(c.Texts, Text{text, parts.Values})
	}
	return c, nil
}

func (p picture) decode() (Picture, error) {
	own := Picture{Format: p.Format, Width: p.Width, Height: p.Height, Bytes: p.Bytes}
	if n, err := hex.Decode(own.Hash[:], []byte(p.Hash)[:min(len(p.Hash), 2*len(own.Hash))]); err != nil || n != len(own.Hash) || len(p.Hash) != 2*n {
		return own, fmt.Errorf("%q is not a hash", p.Hash)
	}
	var err error
	if own.PerceptualHash, err = strconv.ParseUint(p.PerceptualHash, 16, 64); err != nil {
		return own, err
	}
	for _, caption := range p.Captions {
		own.Captions = append(own.Captions, index.Caption{Text: caption.Text, Match: caption.Match})
	}
	return own, nil
}

// decodeParts reads so many vectors and gives what follows them.
func decodeParts(data []byte, count, width int) (embed.Parts, []byte) {
	parts := embed.Parts{Count: count, Width: width, Values: make([]float32, count*width)}
	for row := range count {
		values := parts.Row(row)
		var squares float64
		for i, code := range data[:width] {
			value := float64(int8(code))
			values[i] = float32(value)
			squares += value * value
		}
		length := float32(math.Sqrt(max(squares, 1)))
		for i := range values {
			values[i] /= length
		}
		data = data[width:]
	}
	return parts, data
}

// encode gives the two files of a collection.
func (c *Collection) encode() (text, vectors []byte, err error) {
	h := header{Checkpoint: c.Checkpoint, Parts: c.Parts, Width: c.Width}
	for _, own := range c.Pictures {
		p := picture{
			Hash: own.Hash.String(), Format: own.Format, Width: own.Width, Height: own.Height, Bytes: own.Bytes,
			PerceptualHash: fmt.Sprintf("%016x", own.PerceptualHash),
		}
		for _, written := range own.Captions {
			p.Captions = append(p.Captions, caption{written.Text, written.Match})
		}
		if own.Vectors.Count != c.Parts || own.Vectors.Width != c.Width {
			return nil, nil, fmt.Errorf("picture %s has %d vectors of %d elements, want %d of %d", p.Hash, own.Vectors.Count, own.Vectors.Width, c.Parts, c.Width)
		}
		h.Pictures, vectors = append(h.Pictures, p), appendParts(vectors, own.Vectors)
	}
	for _, own := range c.Texts {
		h.Texts, vectors = append(h.Texts, own.Text), appendParts(vectors, embed.Parts{Count: 1, Width: len(own.Vector), Values: own.Vector})
	}
	text, err = json.MarshalIndent(h, "", " ")
	return append(text, '\n'), vectors, err
}

// appendParts writes vectors, the largest element of each as the largest code.
func appendParts(data []byte, parts embed.Parts) []byte {
	for row := range parts.Count {
		values := parts.Row(row)
		var largest float32
		for _, value := range values {
			largest = max(largest, float32(math.Abs(float64(value))))
		}
		scale := max(largest, math.SmallestNonzeroFloat32) / largestCode
		for _, value := range values {
			data = append(data, byte(int8(math.RoundToEven(float64(value/scale)))))
		}
	}
	return data
}

// Write writes the two files of a collection into a folder.
func (c *Collection) Write(folder string) error {
	text, vectors, err := c.encode()
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, indexName), text, 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, vectorsName), vectors, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write a prepared collection: %w", err)
	}
	return nil
}
