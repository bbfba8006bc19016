// Package logistic fits the scoring model to examples: a logistic regression over its features by Newton's method, with
// Platt's targets, in which evidence never counts against itself.
package logistic
