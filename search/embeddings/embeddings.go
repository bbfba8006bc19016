// Package embeddings makes the vectors that searches compare, of texts and pictures, for programs that compare them
// themselves.
//
//	one text ──► one unit vector
//	one picture ──► as many unit vectors as the model has query tokens ("parts") ──► or their mean, of unit length
package embeddings

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/inputs"
)

// Pool says what is given of a picture.
type Pool string

// What is given of a picture.
const (
	// PoolParts gives all its vectors: a search takes the largest of their products with a text's.
	PoolParts Pool = "parts"
	// PoolMean gives the mean of them, made a unit vector: smaller, and less exact.
	PoolMean Pool = "mean"
)

// Encoding says how vectors are written.
type Encoding string

// How vectors are written.
const (
	EncodingNumbers Encoding = "numbers"
	// EncodingBase64 is the vectors one after the other as little-endian float32 in base64 (RFC 4648, with padding).
	EncodingBase64 Encoding = "base64"
)

// Request asks for vectors of texts, of images of the library, and of one picture besides.
type Request struct {
	Texts   []string
	Records []index.ID
	Image   *pixels.Image
	// Crop restricts Image to a part of it.
	Crop *contract.Rectangle
	// Pool and Encoding may be empty: parts, and numbers.
	Pool     Pool
	Encoding Encoding
}

// Response has the vectors, in the order of the request: texts, records, the image.
type Response struct {
	// Fingerprint names the model: vectors of different ones cannot be compared.
	Fingerprint string `json:"fingerprint"`
	// Width is the length of each vector.
	Width      int         `json:"width"`
	Embeddings []Embedding `json:"embeddings"`
	Warnings   []string    `json:"warnings,omitempty"`
}

// Embedding is the vectors of one text or picture.
type Embedding struct {
	// Of is "text", "record" or "image", and Index its place among those of the request.
	Of    string `json:"of"`
	Index int    `json:"index"`
	// Count is the number of vectors.
	Count int `json:"count"`
	// Vectors are there in EncodingNumbers, Base64 in EncodingBase64.
	Vectors [][]float32 `json:"vectors,omitempty"`
	Base64  string      `json:"base64,omitempty"`
}

// Validate says what is wrong with a request, as a [contract.Error].
func (r *Request) Validate() error {
	switch {
	case len(r.Texts)+len(r.Records) == 0 && r.Image == nil:
		return &contract.Error{Code: contract.CodeEmptyRequest, Message: "there is nothing to embed", Remedy: "give texts, records or an image"}
	case len(r.Texts) > MaximumTexts:
		return contract.InvalidOption("texts", fmt.Sprintf("give at most %d at a time", MaximumTexts), "there are %d texts", len(r.Texts))
	case len(r.Records) > MaximumRecords:
		return contract.InvalidOption("records", fmt.Sprintf("give at most %d at a time", MaximumRecords), "there are %d records", len(r.Records))
	case r.Pool != "" && r.Pool != PoolParts && r.Pool != PoolMean:
		return contract.InvalidOption("pool", "use parts or mean", "there is no pool %q", r.Pool)
	case r.Encoding != "" && r.Encoding != EncodingNumbers && r.Encoding != EncodingBase64:
		return contract.InvalidOption("encoding", "use numbers or base64", "there is no encoding %q", r.Encoding)
	case r.Crop != nil && r.Image == nil:
		return &contract.Error{Code: contract.CodeInvalidCrop, Field: "crop", Message: "a crop is given without a picture", Remedy: "give an image with it"}
	}
	for i, text := range r.Texts {
		if count := utf8.RuneCountInString(text); count == 0 || count > MaximumCharacters {
			return contract.InvalidOption(fmt.Sprintf("texts[%d]", i), fmt.Sprintf("give 1 to %d characters", MaximumCharacters), "the text has %d characters", count)
		}
	}
	if r.Crop != nil {
		return r.Crop.Validate()
	}
	return nil
}

// Make makes the vectors that a request asks for.
func Make(ctx context.Context, library index.Source, model *inputs.Model, request Request) (Response, error) {
	if err := request.Validate(); err != nil {
		return Response{}, err
	}
	space, some := model.Space()
	if !some {
		return Response{}, &contract.Error{Code: contract.CodeUnavailable, Message: "no model is open"}
	}
	made := Response{Fingerprint: space.Fingerprint, Width: space.Width, Embeddings: []Embedding{}}
	if len(request.Texts) > 0 {
		vectors, warnings, err := model.Texts(ctx, request.Texts)
		if err != nil {
			return Response{}, err
		}
		made.Warnings = warnings
		for i, vector := range vectors {
			made.add("text", i, embed.Parts{Count: 1, Width: len(vector), Values: vector}, request.Encoding)
		}
	}
	if len(request.Records) == 0 && request.Image == nil {
		return made, nil
	}
	reader, err := library.Reader(ctx)
	if err != nil {
		return Response{}, fmt.Errorf("read library: %w", err)
	}
	defer reader.Close()
	if stored, some := reader.Space(); some && len(request.Records) > 0 {
		if err := model.CheckSpace(stored); err != nil {
			return Response{}, err
		}
	}
	for i, id := range request.Records {
		if err := inputs.CheckRecord(ctx, reader, id); err != nil {
			return Response{}, err
		}
		if err := made.addPicture(ctx, reader, model, "record", i, inputs.Picture{Record: id}, request); err != nil {
			return Response{}, err
		}
	}
	if request.Image != nil {
		err = made.addPicture(ctx, reader, model, "image", 0, inputs.Picture{Image: request.Image, Crop: request.Crop}, request)
	}
	return made, err
}

func (r *Response) addPicture(ctx context.Context, reader index.Reader, model *inputs.Model, of string, number int, picture inputs.Picture, request Request) error {
	parts, err := model.Parts(ctx, reader, picture)
	if err != nil {
		return err
	}
	if request.Pool == PoolMean {
		parts = Mean(parts)
	}
	r.add(of, number, parts, request.Encoding)
	return nil
}

// Mean is the mean of a picture's vectors, made a unit vector.
func Mean(parts embed.Parts) embed.Parts {
	sums := make([]float64, parts.Width)
	for i := range parts.Count {
		for j, value := range parts.Row(i) {
			sums[j] += float64(value)
		}
	}
	length := 0.0
	for _, sum := range sums {
		length += sum * sum
	}
	mean := embed.Parts{Count: 1, Width: parts.Width, Values: make([]float32, parts.Width)}
	if length = math.Sqrt(length); length > 0 {
		for j, sum := range sums {
			mean.Values[j] = float32(sum / length)
		}
	}
	return mean
}

func (r *Response) add(of string, number int, parts embed.Parts, encoding Encoding) {
	made := Embedding{Of: of, Index: number, Count: parts.Count}
	if encoding == EncodingBase64 {
		data := make([]byte, 0, 4*len(parts.Values))
		for _, value := range parts.Values {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(value))
		}
		made.Base64 = base64.StdEncoding.EncodeToString(data)
	} else {
		for i := range parts.Count {
			made.Vectors = append(made.Vectors, parts.Row(i))
		}
	}
	r.Embeddings = append(r.Embeddings, made)
}
