// Package vqa scores answers to questions about pictures as the VQA benchmark does
// (Antol et al., arXiv 1505.00468): answers are brought to one form and compared with
// those of ten people.
//
//	Normalize("Two.")                                 "2"
//	Normalize("the fire-truck")                       "fire truck"
//	Accuracy("yes", []string{"yes", "yes", "no", …})  min(1, matches among the other nine / 3), averaged
package vqa
