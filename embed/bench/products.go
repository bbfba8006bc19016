package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// ProductSpeed is how fast the machine multiplies matrices of a vision layer's
// shapes when it does nothing else.
type ProductSpeed struct {
	Seconds float64 `json:"seconds"` // of one layer's four products
	// Giga is thousands of millions of additions and multiplications a second.
	Giga float64 `json:"giga_operations_per_second"`
}

// shape is a product of [rows, inner] by [inner, columns].
type shape struct{ rows, inner, columns int }

// layerShapes lists the products with weights of one vision layer.
func layerShapes(model manifest.Manifest) []shape {
	vision := model.Config.Vision
	rows, width, wide := vision.Tokens(), vision.HiddenSize, vision.IntermediateSize
	return []shape{{rows, width, 3 * width}, {rows, width, width}, {rows, width, wide}, {rows, wide, width}}
}

// measureProducts times one layer's products in the model's precision.
func measureProducts(ctx context.Context, options Options, model manifest.Manifest) (ProductSpeed, error) {
	dir, err := os.MkdirTemp(options.WorkDir, "mekiki-bench-*")
	if err != nil {
		return ProductSpeed{}, err
	}
	defer os.RemoveAll(dir)
	session, inputs, err := openProducts(ctx, options, dir, layerShapes(model), model.Precision)
	if err != nil {
		return ProductSpeed{}, err
	}
	defer session.Close()
	figure, err := options.time(ctx, "bare matrix products", 1, func() error {
		_, err := session.Run(ctx, inputs...)
		return err
	})
	if err != nil {
		return ProductSpeed{}, err
	}
	operations := 0.0
	for _, shape := range layerShapes(model) {
		operations += 2 * float64(shape.rows) * float64(shape.inner) * float64(shape.columns)
	}
	return ProductSpeed{Seconds: figure.Median, Giga: operations / figure.Median / 1e9}, nil
}

// openProducts writes and opens a graph of products that share nothing.
func openProducts(ctx context.Context, options Options, dir string, shapes []shape, precision manifest.Precision) (*ort.Session, []ort.Tensor, error) {
	const file = "products.onnx"
	data, err := onnx.CreateDataFile(dir, "products.bin")
	if err != nil {
		return nil, nil, err
	}
	graph := onnx.NewGraph("products")
	var inputs []ort.Tensor
	var given, taken []ort.Value
	for i, shape := range shapes {
		name := string(rune('a' + i))
		x := graph.Input(name, onnx.Float32, onnx.Fixed(shape.rows), onnx.Fixed(shape.inner))
		product, err := addProduct(graph, data, name, x, shape, precision)
		if err != nil {
			return nil, nil, errors.Join(err, second(data.Close()))
		}
		graph.Output(name+"_product", product)
		given = append(given, ort.Value{Name: name, Type: ort.Float32, Shape: []int64{int64(shape.rows), int64(shape.inner)}})
		taken = append(taken, ort.Value{Name: name + "_product", Type: ort.Float32, Shape: []int64{int64(shape.rows), int64(shape.columns)}})
		inputs = append(inputs, ort.Float32Tensor(checkpoint.RandomValues(name, 1, shape.rows*shape.inner), int64(shape.rows), int64(shape.inner)))
	}
	if err := errors.Join(second(data.Close()), graph.Write(dir, file)); err != nil {
		return nil, nil, err
	}
	session, err := options.Runtime.Session(ctx, ort.SessionOptions{
		Path: filepath.Join(dir, file), Inputs: given, Outputs: taken, Threads: options.Threads,
	})
	return session, inputs, err
}

func second[T any](_ T, err error) error { return err }

func addProduct(graph *onnx.Graph, data *onnx.DataFile, name string, x onnx.Value, shape shape, precision manifest.Precision) (onnx.Value, error) {
	inner, columns := int64(shape.inner), int64(shape.columns)
	if precision != manifest.Int8 {
		weights, err := data.AppendFloat32(checkpoint.RandomValues(name, 2, shape.inner*shape.columns), inner, columns)
		if err != nil {
			return onnx.Value{}, err
		}
		return graph.MatMul(x, graph.Constant(name+"_weights", weights)), nil
	}
	codes := make([]byte, shape.inner*shape.columns)
	for i, bits := range checkpoint.RandomBits(name, 2, len(codes)) {
		codes[i] = byte(int8(bits>>56) | 1) // a signed code that is not -128
	}
	weights, err := data.AppendBytes(onnx.Int8, codes, inner, columns)
	if err != nil {
		return onnx.Value{}, err
	}
	scales := make([]float32, shape.columns)
	for i := range scales {
		scales[i] = 1.0 / 127
	}
	scale, err := data.AppendFloat32(scales, columns)
	if err != nil {
		return onnx.Value{}, err
	}
	return graph.DynamicQuantizeMatMul(x, graph.Constant(name+"_weights", weights), graph.Constant(name+"_scales", scale), onnx.Value{}), nil
}
