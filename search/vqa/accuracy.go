package vqa

// enough is how many people have to agree with an answer for it to be right.
const enough = 3

// Accuracy is how right an answer is, 0 to 1, beside those of several people: for each of them a
// third for everybody else who gave the same answer, one at most, and the mean of that. All are compared
// in their normal form. (The benchmark's own script leaves what all people agree on as they wrote it,
// so that "Yes." is wrong where ten people said "yes"; LAVIS's, by which BLIP-2's figures were made,
// normalises the model's answer always.)
func Accuracy(answer string, people []string) float64 {
	if len(people) == 0 {
		return 0
	}
	answer = Normalize(answer)
	matches := 0
	same := make([]bool, len(people))
	for i, person := range people {
		if same[i] = Normalize(person) == answer; same[i] {
			matches++
		}
	}
	sum := 0.0
	for _, one := range same {
		others := matches
		if one {
			others--
		}
		sum += min(1, float64(others)/enough)
	}
	return sum / float64(len(people))
}
