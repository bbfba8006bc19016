package evaluate

import (
	"errors"
	"math"

	"mekiki/search"
)

// example is one text with one picture: the evidence and the truth, and how
// much it counts.
type example struct {
	evidence search.Evidence
	right    bool
	weight   float64
}

// The parts of a curve's sum, in the order of fitted weights.
const (
	partLogit = iota
	partCosine
	partCosineWords
	partWords
	partCaption
	partIntercept
	partCount
)

// fitCurve finds the curve of largest likelihood by Newton's method, with
// Platt's targets, which keep it finite where the classes are apart (Platt 1999;
// Lin, Lin and Weng 2007). Evidence that would count against itself is left out,
// so that a probability never falls when evidence rises. Without read, ITM's
// logit is not used; without captioned, captions are not.
func fitCurve(examples []example, read, captioned bool) (search.Curve, error) {
	parts := []int{partCosine, partCosineWords, partWords, partIntercept}
	if read {
		parts = append(parts, partLogit)
	}
	if captioned {
		parts = append(parts, partCaption)
	}
	for {
		weights, err := fitParts(examples, parts)
		if err != nil {
			return search.Curve{}, err
		}
		worst := -1
		for i, part := range parts {
			rises := part != partWords && part != partIntercept
			if rises && weights[part] < 0 && (worst < 0 || weights[part] < weights[parts[worst]]) {
				worst = i
			}
		}
		if worst < 0 {
			curve := search.Curve{
				Logit: roundTo(weights[partLogit], 4), Cosine: roundTo(weights[partCosine], 4), CosineWords: roundTo(weights[partCosineWords], 4),
				Words: roundTo(weights[partWords], 4), Caption: roundTo(weights[partCaption], 4), Intercept: roundTo(weights[partIntercept], 4),
			}
			if curve.Logit+curve.Cosine+curve.CosineWords+curve.Caption <= 0 {
				return search.Curve{}, errors.New("higher scores are not likelier to be right: the model has learned nothing")
			}
			return curve, nil
		}
		parts = append(parts[:worst], parts[worst+1:]...)
	}
}

// features gives the parts of an example's sum.
func (e example) features() [partCount]float64 {
	caption := e.evidence.Caption
	if math.IsNaN(caption) {
		caption = 0
	}
	words := math.Log(float64(max(e.evidence.ContentWords, 1)))
	return [partCount]float64{
		partLogit: e.evidence.Logit, partCosine: e.evidence.Cosine, partCosineWords: e.evidence.Cosine * words, partWords: words,
		partCaption: caption * caption * caption, partIntercept: 1,
	}
}

// scaling brings a part's values to mean 0 and deviation 1, so that Newton's
// steps and the ridge treat all parts alike.
type scaling struct{ mean, deviation float64 }

// fitParts fits the weights of some parts; the others are 0.
func fitParts(examples []example, parts []int) (weights [partCount]float64, err error) {
	var right, wrong float64
	for _, e := range examples {
		if e.right {
			right += e.weight
		} else {
			wrong += e.weight
		}
	}
	if right == 0 || wrong == 0 {
		return weights, errors.New("there are no right or no wrong examples")
	}
	scales := scalings(examples, parts, right+wrong)
	rows := make([][]float64, len(examples))
	for i, e := range examples {
		all := e.features()
		for j, part := range parts {
			rows[i] = append(rows[i], (all[part]-scales[j].mean)/scales[j].deviation)
		}
	}
	fitted := newton(examples, rows, (right+1)/(right+2), 1/(wrong+2))
	for j, part := range parts {
		weights[part] += fitted[j] / scales[j].deviation
		if part != partIntercept {
			weights[partIntercept] -= fitted[j] * scales[j].mean / scales[j].deviation
		}
	}
	return weights, nil
}

func scalings(examples []example, parts []int, total float64) []scaling {
	scales := make([]scaling, len(parts))
	for j, part := range parts {
		if part == partIntercept {
			scales[j] = scaling{0, 1}
			continue
		}
		var sum, squares float64
		for _, e := range examples {
			sum += e.weight * e.features()[part] / total
		}
		for _, e := range examples {
			difference := e.features()[part] - sum
			squares += e.weight * difference * difference / total
		}
		scales[j] = scaling{sum, max(math.Sqrt(squares), 1e-9)}
	}
	return scales
}

// newton maximises the likelihood of a logistic model over rows.
func newton(examples []example, rows [][]float64, high, low float64) []float64 {
	size := len(rows[0])
	weights := make([]float64, size)
	for range 100 {
		gradient := make([]float64, size)
		hessian := make([][]float64, size)
		for j := range hessian {
			hessian[j] = make([]float64, size)
			hessian[j][j] = 1e-6
		}
		for i, e := range examples {
			odds := 0.0
			for j, value := range rows[i] {
				odds += weights[j] * value
			}
			p, target := 1/(1+math.Exp(-odds)), low
			if e.right {
				target = high
			}
			difference, curvature := e.weight*(p-target), e.weight*max(p*(1-p), 1e-12)
			for j, value := range rows[i] {
				gradient[j] += difference * value
				for k, other := range rows[i] {
					hessian[j][k] += curvature * value * other
				}
			}
		}
		step := solve(hessian, gradient)
		longest := 1.0 // long steps overshoot where the curve is flat
		for _, value := range step {
			longest = max(longest, math.Abs(value))
		}
		moved := 0.0
		for j := range weights {
			weights[j] -= step[j] / longest
			moved += math.Abs(step[j])
		}
		if moved < 1e-9 {
			break
		}
	}
	return weights
}

// solve gives x of matrix x = right by Gaussian elimination with pivots. It
// overwrites both.
func solve(matrix [][]float64, right []float64) []float64 {
	size := len(right)
	for column := range size {
		pivot := column
		for row := column + 1; row < size; row++ {
			if math.Abs(matrix[row][column]) > math.Abs(matrix[pivot][column]) {
				pivot = row
			}
		}
		matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
		right[column], right[pivot] = right[pivot], right[column]
		for row := column + 1; row < size; row++ {
			factor := matrix[row][column] / matrix[column][column]
			for k := column; k < size; k++ {
				matrix[row][k] -= factor * matrix[column][k]
			}
			right[row] -= factor * right[column]
		}
	}
	for row := size - 1; row >= 0; row-- {
		for k := row + 1; k < size; k++ {
			right[row] -= matrix[row][k] * right[k]
		}
		right[row] /= matrix[row][row]
	}
	return right
}
