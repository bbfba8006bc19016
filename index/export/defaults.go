package export

// exportedAtOnce is how many records' vectors are read at a time.
const exportedAtOnce = 256
