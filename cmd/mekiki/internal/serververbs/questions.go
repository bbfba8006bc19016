package serververbs

// suggestedQuestions are some that the page offers beside a picture. They are in the language that the models read.
func suggestedQuestions() []string {
	return []string{"what is in the picture?", "how many are there?", "where are they?"}
}
