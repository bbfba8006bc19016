package logistic

import (
	"errors"
	"fmt"
	"math"

	"mekiki/search/evaluate/statistics"
	"mekiki/search/scoring"
)

// Example is one text with one picture: the features and the truth, and how much it
// counts.
type Example struct {
	Features scoring.Features
	Right    bool
	Weight   float64
}

// Fit fits the regressions of a calibration.
func Fit(calibration *scoring.Calibration, examples []Example) (err error) {
	if calibration.Weights, err = fitWeights(examples); err != nil {
		return fmt.Errorf("fit the weights: %w", err)
	}
	calibration.ExpectedITM, calibration.ITMDeviation = fitExpected(examples)
	return nil
}

// fitWeights finds the weights of largest likelihood by Newton's method, with Platt's
// targets, which keep them finite where the classes are apart (Platt 1999; Lin, Lin and
// Weng 2007). Evidence that would count against itself is left out, so that a
// probability never falls when evidence rises.
func fitWeights(examples []Example) (scoring.Features, error) {
	high, low, err := plattTargets(examples)
	if err != nil {
		return scoring.Features{}, err
	}
	weights := fitRising(examples, func(rows [][]float64) []float64 { return newton(examples, rows, high, low) })
	evidence := 0.0
	for i, weight := range weights {
		if scoring.Feature(i).IsEvidence() {
			evidence += weight
		}
	}
	if evidence <= 0 {
		return scoring.Features{}, errors.New("higher scores are not likelier to be right: the model has learned nothing")
	}
	return weights, nil
}

// fitExpected finds the linear regression of ITM's logit on the other features, and the
// standard deviation of what it leaves unexplained.
func fitExpected(examples []Example) (expected scoring.Features, deviation float64) {
	rest := make([]Example, len(examples))
	for i, e := range examples {
		rest[i] = e
		rest[i].Features[scoring.FeatureITM] = 0
	}
	expected = fitRising(rest, func(rows [][]float64) []float64 {
		gradient, hessian := normalEquations(len(rows[0]))
		for i, row := range rows {
			for j, value := range row {
				gradient[j] += examples[i].Weight * value * examples[i].Features[scoring.FeatureITM]
				for k, other := range row {
					hessian[j][k] += examples[i].Weight * value * other
				}
			}
		}
		return solve(hessian, gradient)
	})
	var squares, total float64
	for i, e := range rest {
		left := examples[i].Features[scoring.FeatureITM] - Dot(expected, e.Features)
		squares, total = squares+e.Weight*left*left, total+e.Weight
	}
	return expected, statistics.RoundTo(math.Sqrt(squares/total), 4)
}

// FitName finds what a name is worth: the log-odds of largest likelihood of pictures whose
// names have every word, beside those of what they show. It gives the published rule's
// where there are none.
func FitName(odds, worth []float64, right []bool) float64 {
	if len(odds) == 0 {
		return scoring.DefaultCalibration().Name
	}
	var positive, negative float64
	for _, r := range right {
		if r {
			positive++
		} else {
			negative++
		}
	}
	slope := func(name float64) float64 {
		sum := 0.0
		for i := range odds {
			target := 1 / (negative + 2)
			if right[i] {
				target = (positive + 1) / (positive + 2)
			}
			sum += worth[i] * (target - scoring.Sigmoid(scoring.Calibration{Name: name}.Named(odds[i], worth[i])))
		}
		return sum
	}
	low, high := 0.0, 20.0
	for range 60 {
		if middle := (low + high) / 2; slope(middle) > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return statistics.RoundTo(low, 4)
}

func plattTargets(examples []Example) (high, low float64, err error) {
	var right, wrong float64
	for _, e := range examples {
		if e.Right {
			right += e.Weight
		} else {
			wrong += e.Weight
		}
	}
	if right == 0 || wrong == 0 {
		return 0, 0, errors.New("there are no right or no wrong examples")
	}
	return (right + 1) / (right + 2), 1 / (wrong + 2), nil
}

// fitRising fits weights by a method that sees the features that vary, brought to mean 0
// and deviation 1, so that its steps treat all alike. As long as evidence gets a weight
// below 0, the worst of it is left out.
func fitRising(examples []Example, method func(rows [][]float64) []float64) scoring.Features {
	means, deviations := scales(examples)
	var used []scoring.Feature
	for i, deviation := range deviations {
		if deviation > 1e-9 || scoring.Feature(i) == scoring.FeatureBias {
			used = append(used, scoring.Feature(i))
		}
	}
	for {
		rows := make([][]float64, len(examples))
		for i, e := range examples {
			rows[i] = make([]float64, len(used))
			for j, feature := range used {
				if rows[i][j] = 1; feature != scoring.FeatureBias {
					rows[i][j] = (e.Features[feature] - means[feature]) / deviations[feature]
				}
			}
		}
		var weights scoring.Features
		worst := -1
		for j, value := range method(rows) {
			feature := used[j]
			if feature == scoring.FeatureBias {
				weights[feature] += value
				continue
			}
			weights[feature] = value / deviations[feature]
			weights[scoring.FeatureBias] -= weights[feature] * means[feature]
			if feature.IsEvidence() && value < 0 && (worst < 0 || weights[feature] < weights[used[worst]]) {
				worst = j
			}
		}
		if worst < 0 {
			for i := range weights {
				weights[i] = statistics.RoundTo(weights[i], 4)
			}
			return weights
		}
		used = append(used[:worst], used[worst+1:]...)
	}
}

// scales gives the weighted mean and standard deviation of each feature.
func scales(examples []Example) (means, deviations scoring.Features) {
	total := 0.0
	for _, e := range examples {
		total += e.Weight
		for i, value := range e.Features {
			means[i] += e.Weight * value
		}
	}
	for i := range means {
		means[i] /= total
	}
	for _, e := range examples {
		for i, value := range e.Features {
			deviations[i] += e.Weight * (value - means[i]) * (value - means[i]) / total
		}
	}
	for i := range deviations {
		deviations[i] = math.Sqrt(deviations[i])
	}
	return means, deviations
}

// newton maximises the likelihood of a logistic model over rows.
func newton(examples []Example, rows [][]float64, high, low float64) []float64 {
	weights := make([]float64, len(rows[0]))
	for range 100 {
		gradient, hessian := normalEquations(len(weights))
		for i, e := range examples {
			odds := 0.0
			for j, value := range rows[i] {
				odds += weights[j] * value
			}
			p, target := scoring.Sigmoid(odds), low
			if e.Right {
				target = high
			}
			difference, curvature := e.Weight*(p-target), e.Weight*max(p*(1-p), 1e-12)
			for j, value := range rows[i] {
				gradient[j] += difference * value
				for k, other := range rows[i] {
					hessian[j][k] += curvature * value * other
				}
			}
		}
		step := solve(hessian, gradient)
		longest := 1.0 // long steps overshoot where the likelihood is flat
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

// normalEquations gives an empty gradient and Hessian, with a ridge that only keeps them
// solvable.
func normalEquations(size int) (gradient []float64, hessian [][]float64) {
	gradient, hessian = make([]float64, size), make([][]float64, size)
	for j := range hessian {
		hessian[j] = make([]float64, size)
		hessian[j][j] = 1e-6
	}
	return gradient, hessian
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

// Dot adds up the products of features and weights.
func Dot(a, b scoring.Features) float64 {
	sum := 0.0
	for i, value := range a {
		sum += value * b[i]
	}
	return sum
}
