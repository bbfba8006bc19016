package onnx

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// fields decodes one protobuf message into its length-delimited and integer
// fields, by number.
func fields(t *testing.T, message []byte) (texts map[protowire.Number][][]byte, integers map[protowire.Number][]uint64) {
	t.Helper()
	texts, integers = map[protowire.Number][][]byte{}, map[protowire.Number][]uint64{}
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			t.Fatalf("bad tag: %v", protowire.ParseError(n))
		}
		message = message[n:]
		switch kind {
		case protowire.BytesType:
			value, n := protowire.ConsumeBytes(message)
			texts[number] = append(texts[number], value)
			message = message[n:]
		case protowire.VarintType:
			value, n := protowire.ConsumeVarint(message)
			integers[number] = append(integers[number], value)
			message = message[n:]
		default:
			message = message[protowire.ConsumeFieldValue(number, kind, message):]
		}
	}
	return texts, integers
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	data, err := CreateDataFile(dir, "weights.bin")
	if err != nil {
		t.Fatal(err)
	}
	weight, err := data.AppendFloat32([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	graph := NewGraph("test")
	graph.Metadata("key", "value")
	x := graph.Input("x", Float32, Dynamic("batch"), Fixed(2))
	graph.Scope("layer", func() { x = graph.MatMul(x, graph.Constant("weight", weight)) })
	graph.Output("y", x)
	if err := graph.Write(dir, "test.onnx"); err != nil {
		t.Fatal(err)
	}
	sum, err := data.Close()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "weights.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(raw); sum != hex.EncodeToString(want[:]) {
		t.Errorf("data file's hash is %s, want %x", sum, want)
	}
	encoded, err := os.ReadFile(filepath.Join(dir, "test.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	model, versions := fields(t, encoded)
	if len(model[8]) != 2 || versions[1][0] != irVersion {
		t.Errorf("model has %d operator sets and version %v", len(model[8]), versions[1])
	}
	content, _ := fields(t, model[7][0])
	if len(content[1]) != 2 || len(content[5]) != 1 || len(content[11]) != 1 || len(content[12]) != 1 {
		t.Errorf("graph has %d nodes, %d initializers, %d inputs, %d outputs",
			len(content[1]), len(content[5]), len(content[11]), len(content[12]))
	}
	node, _ := fields(t, content[1][0])
	if name := string(node[3][0]); name != "layer/MatMul" {
		t.Errorf("node is named %q", name)
	}
	tensor, numbers := fields(t, content[5][0])
	if len(tensor[13]) != 3 || numbers[14][0] != dataExternal || len(tensor[9]) != 0 {
		t.Errorf("initializer is not external: %v, %v", tensor, numbers)
	}
}

func TestDataFileAlignment(t *testing.T) {
	dir := t.TempDir()
	data, err := CreateDataFile(dir, "weights.bin")
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte{7}, largeThreshold+3)
	var written []Tensor
	for _, raw := range [][]byte{{1}, {2, 3}, large, {4}} {
		tensor, err := data.AppendBytes(Int8, raw, int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, tensor)
	}
	if _, err := data.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "weights.bin"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]byte{{1}, {2, 3}, large, {4}} {
		place := written[i].External
		alignment := int64(lineAlignment)
		if len(want) >= largeThreshold {
			alignment = pageAlignment
		}
		if place.Offset%alignment != 0 || !bytes.Equal(content[place.Offset:place.Offset+place.Length], want) {
			t.Errorf("tensor %d lies at %d and is not what was written", i, place.Offset)
		}
	}
}

func TestDataFileRejects(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"", "../weights.bin", "a/b", "."} {
		if data, err := CreateDataFile(dir, name); err == nil {
			_, _ = data.Close()
			t.Errorf("data file %q was created", name)
		}
	}
	data, err := CreateDataFile(dir, "weights.bin")
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	for name, call := range map[string]func() (Tensor, error){
		"too few values":   func() (Tensor, error) { return data.AppendFloat32([]float32{1, 2}, 3) },
		"negative size":    func() (Tensor, error) { return data.AppendFloat32([]float32{1}, -1, -1) },
		"huge shape":       func() (Tensor, error) { return data.AppendFloat32(nil, 1<<40, 1<<40) },
		"half an element":  func() (Tensor, error) { return data.AppendBytes(Float32, []byte{1, 2, 3}, 1) },
		"unknown elements": func() (Tensor, error) { return data.AppendBytes(99, nil, 0) },
	} {
		if tensor, err := call(); err == nil {
			t.Errorf("%s: got %v", name, tensor)
		}
	}
}

// TestMistakes builds graphs that cannot run and wants each refused with the
// operator's place.
func TestMistakes(t *testing.T) {
	batch := Dynamic("batch")
	for name, build := range map[string]func(g *Graph) Value{
		"MatMul": func(g *Graph) Value {
			return g.MatMul(g.Input("a", Float32, batch, Fixed(3)), g.Input("b", Float32, Fixed(4), Fixed(5)))
		},
		"Add": func(g *Graph) Value {
			return g.Add(g.Input("a", Float32, batch, Fixed(3)), g.Input("b", Float32, Fixed(4)))
		},
		"Mul": func(g *Graph) Value { return g.Multiply(g.Input("a", Float32, batch), g.Input("b", Int64, batch)) },
		"Concat": func(g *Graph) Value {
			return g.Concat(0, Fixed(2), g.Input("a", Float32, Fixed(1), Fixed(3)), g.Input("b", Float32, Fixed(1), Fixed(4)))
		},
		"Reshape":   func(g *Graph) Value { return g.Reshape(g.Input("a", Float32, Fixed(6)), FixedShape(4)) },
		"Transpose": func(g *Graph) Value { return g.Transpose(g.Input("a", Float32, batch, Fixed(1)), 0, 2) },
		"Split":     func(g *Graph) Value { return g.Split(g.Input("a", Float32, batch, Fixed(6)), 1, 2, 3)[0] },
		"Slice":     func(g *Graph) Value { return g.Slice(g.Input("a", Float32, batch), 1, 0, 1, Fixed(1)) },
		"Expand": func(g *Graph) Value {
			return g.Expand(g.Input("a", Float32, Fixed(1)), g.Input("b", Float32, batch), Shape{Dynamic("other")})
		},
		"Conv": func(g *Graph) Value {
			return g.Conv(g.Input("a", Float32, batch, Fixed(3), Fixed(4), Fixed(4)), g.Input("b", Float32, FixedShape(2, 3, 8, 8)...), Value{})
		},
		"LayerNormalization": func(g *Graph) Value {
			gamma := g.Input("g", Float32, Fixed(2))
			return g.LayerNorm(g.Input("a", Float32, batch, Fixed(3)), gamma, gamma, 1e-6)
		},
		"MultiHeadAttention": func(g *Graph) Value {
			x := g.Input("x", Float32, batch, Dynamic("text"), Fixed(10))
			y, _, _ := g.MultiHeadAttention(Attention{Query: x, Key: x, Value: x, Heads: 3})
			return y
		},
		"GroupQueryAttention": func(g *Graph) Value {
			x := g.Input("x", Float32, batch, Dynamic("text"), Fixed(48))
			past := g.Input("past", Float32, batch, Fixed(2), Dynamic("capacity"), Fixed(16))
			return g.GroupQueryAttention(GroupAttention{Query: x, PastKey: past, PastValue: past, Last: g.Input("last", Int32, batch),
				Total: g.Input("total", Int32, Fixed(1)), Heads: 1, KeyValueHeads: 1, HeadWidth: 16})
		},
		"SimplifiedLayerNormalization": func(g *Graph) Value {
			return g.RootMeanSquareNorm(g.Input("a", Float32, batch, Fixed(3)), g.Input("g", Float32, Fixed(2)), 1e-6)
		},
		"GatherND": func(g *Graph) Value {
			return g.GatherRows(g.Input("a", Float32, batch, Fixed(3), Fixed(4)), g.Input("i", Int64, Dynamic("other")))
		},
		"picked/GatherND": func(g *Graph) (rows Value) {
			g.Scope("picked", func() {
				rows = g.PickRows(g.Input("a", Float32, batch, Fixed(3), Fixed(4)), g.Input("i", Int64, Dynamic("other"), Fixed(2)))
			})
			return rows
		},
		"other/Slice": func(g *Graph) (every Value) {
			g.Scope("other", func() { every = g.EveryOther(g.Input("a", Float32, batch, Fixed(1)), 1, 1) })
			return every
		},
		"ScatterElements": func(g *Graph) Value {
			return g.PlaceEach(g.Input("a", Float32, batch, Fixed(4)), g.Input("i", Int64, batch, Fixed(2)), g.Input("u", Float32, batch, Fixed(3)))
		},
		"ArgMax": func(g *Graph) Value { return g.LargestAt(g.Input("a", Float32, batch, Fixed(4)), 2) },
		"TopK": func(g *Graph) Value {
			sorted, _ := g.Sort(g.Input("a", Float32, Fixed(4), batch), true)
			return sorted
		},
		"DynamicQuantizeMatMul": func(g *Graph) Value {
			weight := g.Input("w", Float32, Fixed(3), Fixed(2))
			return g.DynamicQuantizeMatMul(g.Input("a", Float32, batch, Fixed(3)), weight, g.Input("s", Float32, Fixed(2)), Value{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			graph := NewGraph("wrong")
			graph.Scope("here", func() { graph.Output("y", build(graph)) })
			err := graph.Write(t.TempDir(), "wrong.onnx")
			if err == nil || !strings.Contains(err.Error(), "here/"+name) {
				t.Errorf("error is %v, want one about here/%s", err, name)
			}
		})
	}
}

func TestConstants(t *testing.T) {
	graph := NewGraph("constants")
	first := graph.Float(1.5)
	if again := graph.Float(1.5); again.Name != first.Name {
		t.Errorf("equal constants are %s and %s", first.Name, again.Name)
	}
	graph.Constant("float/1.5", Int64Tensor([]int64{1}, 1))
	if graph.Err() == nil {
		t.Error("one name stood for two constants")
	}
	short := NewGraph("short")
	short.Constant("short", Tensor{Type: Float32, Shape: []int64{2}, Raw: make([]byte, 4)})
	if short.Err() == nil {
		t.Error("a constant with too few bytes was accepted")
	}
	if err := NewGraph("empty").Write(t.TempDir(), "empty.onnx"); err == nil {
		t.Error("a graph without outputs was written")
	}
}
