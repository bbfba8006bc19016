package onnx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Graph collects inputs, constants and nodes, and becomes one model file.
//
// The operator methods never return errors: the first mistake (a shape that
// does not fit, a type that an operator does not take) is kept, later calls
// do nothing, and [Graph.Write] and [Graph.Err] report it with the name of
// the node. A Graph is not safe for concurrent use.
type Graph struct {
	name         string
	inputs       []Value
	outputs      []Value
	initializers []initializer
	constants    map[string]Value // initializers by name
	nodes        []node
	used         map[string]int // names taken, and how often
	scope        []string
	metadata     [][2]string
	err          error
}

type initializer struct {
	name   string
	tensor Tensor
}

// node is one operator application.
type node struct {
	operator   string
	domain     string
	name       string
	inputs     []string
	outputs    []string
	attributes []attribute
}

// attribute is one named setting of a node; exactly one of the fields beside
// name is meaningful, told by kind.
type attribute struct {
	name     string
	kind     attributeKind
	integer  int64
	float    float32
	integers []int64
}

type attributeKind int32

// Numbered as in ONNX's AttributeProto.AttributeType.
const (
	floatAttribute    attributeKind = 1
	integerAttribute  attributeKind = 2
	integersAttribute attributeKind = 7
)

func integer(name string, value int64) attribute {
	return attribute{name: name, kind: integerAttribute, integer: value}
}

func integers(name string, values ...int64) attribute {
	return attribute{name: name, kind: integersAttribute, integers: values}
}

func float(name string, value float32) attribute {
	return attribute{name: name, kind: floatAttribute, float: value}
}

// NewGraph starts an empty graph of the given name.
func NewGraph(name string) *Graph {
	return &Graph{name: name, constants: map[string]Value{}, used: map[string]int{}}
}

// Inputs returns what was declared as inputs, in order.
func (g *Graph) Inputs() []Value { return g.inputs }

// Outputs returns what was declared as outputs, in order.
func (g *Graph) Outputs() []Value { return g.outputs }

// Err is the first mistake made while building, or nil.
func (g *Graph) Err() error { return g.err }

// Fail records a mistake that the caller found; only the first is kept.
func (g *Graph) Fail(err error) {
	if g.err == nil && err != nil {
		g.err = fmt.Errorf("graph %s: %w", g.name, err)
	}
}

// Metadata adds a key and a value that readers of the model file can see.
func (g *Graph) Metadata(key, value string) {
	g.metadata = append(g.metadata, [2]string{key, value})
}

// Scope prefixes the names of the nodes that body adds, as in "layer.3/MatMul".
func (g *Graph) Scope(name string, body func()) {
	g.scope = append(g.scope, name)
	body()
	g.scope = g.scope[:len(g.scope)-1]
}

// Input declares an input of the graph.
func (g *Graph) Input(name string, elementType ElementType, shape ...Dimension) Value {
	value := Value{Name: g.claim(name), Type: elementType, Shape: shape}
	if value.Name != name {
		g.Fail(fmt.Errorf("input name %q is taken", name))
	}
	g.inputs = append(g.inputs, value)
	return value
}

// Output makes value an output of the graph under the given name.
func (g *Graph) Output(name string, value Value) {
	if g.err != nil {
		return
	}
	output := Value{Name: g.claim(name), Type: value.Type, Shape: value.Shape}
	if output.Name != name {
		g.Fail(fmt.Errorf("output name %q is taken", name))
		return
	}
	g.nodes = append(g.nodes, node{operator: "Identity", name: "output/" + name,
		inputs: []string{value.Name}, outputs: []string{name}})
	g.outputs = append(g.outputs, output)
}

// Constant makes a tensor readable by nodes. Asking twice for one name
// returns the first value; its type and shape must then be the same.
func (g *Graph) Constant(name string, tensor Tensor) Value {
	if g.err != nil {
		return Value{}
	}
	shape := make(Shape, len(tensor.Shape))
	for i, size := range tensor.Shape {
		shape[i] = Dimension{Size: size}
	}
	if known, ok := g.constants[name]; ok {
		if known.Type != tensor.Type || !known.Shape.equal(shape) {
			g.Fail(fmt.Errorf("constant %s: %v%v was %v%v before", name, tensor.Type, shape, known.Type, known.Shape))
		}
		return known
	}
	if err := tensor.validate(); err != nil {
		g.Fail(fmt.Errorf("constant %s: %w", name, err))
		return Value{}
	}
	value := Value{Name: g.claim(name), Type: tensor.Type, Shape: shape}
	if value.Name != name {
		g.Fail(fmt.Errorf("constant name %q is taken", name))
		return Value{}
	}
	g.constants[name] = value
	g.initializers = append(g.initializers, initializer{name: name, tensor: tensor})
	return value
}

// Int64s is a constant vector of integers, shared by equal vectors.
func (g *Graph) Int64s(values ...int64) Value {
	text := strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", "_"), "[]")
	return g.Constant("int64s/"+text, Int64Tensor(values, int64(len(values))))
}

// Int64 is a constant integer scalar.
func (g *Graph) Int64(value int64) Value {
	return g.Constant(fmt.Sprintf("int64/%d", value), Int64Tensor([]int64{value}))
}

// Float is a constant float scalar.
func (g *Graph) Float(value float32) Value {
	return g.Constant(fmt.Sprintf("float/%g", value), Float32Tensor([]float32{value}))
}

// claim reserves a name that no value has yet, adding a number if need be.
func (g *Graph) claim(name string) string {
	count := g.used[name]
	g.used[name] = count + 1
	if count == 0 {
		return name
	}
	return g.claim(fmt.Sprintf("%s.%d", name, count))
}

// result describes one output that a node is to have.
type result struct {
	elementType ElementType
	shape       Shape
}

// add appends a node and returns a value for each result.
func (g *Graph) add(domain, operator string, inputs []Value, results []result, attributes ...attribute) []Value {
	values := make([]Value, len(results))
	if g.err != nil {
		return values
	}
	name := g.claim(strings.Join(append(slices.Clone(g.scope), operator), "/"))
	added := node{operator: operator, domain: domain, name: name, attributes: attributes}
	for _, input := range inputs {
		added.inputs = append(added.inputs, input.Name)
	}
	for len(added.inputs) > 0 && added.inputs[len(added.inputs)-1] == "" {
		added.inputs = added.inputs[:len(added.inputs)-1]
	}
	for i, result := range results {
		values[i] = Value{Name: g.claim(fmt.Sprintf("%s:%d", name, i)), Type: result.elementType, Shape: result.shape}
		added.outputs = append(added.outputs, values[i].Name)
	}
	g.nodes = append(g.nodes, added)
	return values
}

// one is add for a node of a single output.
func (g *Graph) one(domain, operator string, inputs []Value, elementType ElementType, shape Shape, attributes ...attribute) Value {
	return g.add(domain, operator, inputs, []result{{elementType: elementType, shape: shape}}, attributes...)[0]
}

// fail records a mistake of the operator that is being added.
func (g *Graph) fail(operator, format string, arguments ...any) Value {
	place := strings.Join(append(slices.Clone(g.scope), operator), "/")
	g.Fail(fmt.Errorf("%s: %w", place, fmt.Errorf(format, arguments...)))
	return Value{}
}

// Write encodes the graph into the named file of folder dir, through a
// temporary file so that the name only ever holds a whole model; whoever needs
// it to survive a power loss syncs it afterwards.
func (g *Graph) Write(dir, name string) error {
	if g.err != nil {
		return g.err
	}
	if len(g.outputs) == 0 {
		return fmt.Errorf("graph %s: no outputs", g.name)
	}
	encoded := g.encode()
	if len(encoded) >= maximumModelBytes {
		return fmt.Errorf("graph %s: %d bytes exceed the format's limit; put weights into a data file", g.name, len(encoded))
	}
	return writeFile(filepath.Join(dir, name), encoded)
}

// writeFile replaces path by content atomically.
func writeFile(path string, content []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(content)
	err = errors.Join(err, file.Close(), os.Chmod(file.Name(), 0o644))
	if err != nil {
		return fmt.Errorf("write model %s: %w", path, err)
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	return nil
}
