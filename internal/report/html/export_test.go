package html

// Sentences is tested from outside.
var Sentences = sentences
