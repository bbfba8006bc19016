package blip2test

// Tolerance is the largest absolute error allowed against the reference, in float32.
const Tolerance = 1e-4
