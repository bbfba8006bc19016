// Package scoring gives the log-odds that a text is true of a picture: one logistic
// regression over a few named features, for every way of asking and every stage of it.
//
//	features: itc, itm (or what is expected of it), words, captioned, length ...
//	odds = bias + weight * feature + ...          -> probability -> verdict
//
// The weights are fitted for each model (a [Calibration], in calibration.json); without a
// fit the published rule holds, [DefaultCalibration].
package scoring
