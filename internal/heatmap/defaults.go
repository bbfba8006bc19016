package heatmap

// most is the opacity of the largest value.
const most = 0.75
