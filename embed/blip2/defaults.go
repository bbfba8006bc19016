package blip2

// mostContinuation bounds the tokens of a sample text.
const mostContinuation = 64
