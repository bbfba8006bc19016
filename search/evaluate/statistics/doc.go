// Package statistics sums up what an evaluation saw: recalls, percentiles, and means with bootstrap intervals over
// pictures.
package statistics
