package campaign

import "math"

// A family is a set of traits that come from one source, so that they say one
// thing however many agree: a tool brings its TLS, header order and agent
// along. Links count once a family.
type family uint8

const (
	famTool      family = iota // the program that sends
	famStructure               // how it builds parameters
	famConstant                // values it sends every time
	famNetwork                 // where it sends from
	famIdentity                // what it signs in with
	famTargets                 // whom it aims at
	famSequence                // in which order it goes
	families
)

// trait describes a kind of mark.
type trait struct {
	family family
	cap    float64 // bits that it weighs at most
	// sample traits have many values per attack, of which a sample is known;
	// the others have few and are compared by their shares.
	sample bool
	// personal traits are rare by nature: as many others as tolerance may show
	// them. A network that more than one in a hundred honest askers share
	// weighs nothing.
	personal  bool
	tolerance uint64
}

// The caps say how much a trait can tell at best. What is public cannot tell
// much: lists of passwords and of paths to probe are for everybody to download,
// so these two support a link and never make one.
var traits = map[string]trait{
	"ja4":          {family: famTool, cap: 10},
	"h2":           {family: famTool, cap: 8},
	"header_order": {family: famTool, cap: 12},
	"agent":        {family: famTool, cap: 12},
	"param_shape":  {family: famStructure, cap: 12},
	"param_name":   {family: famStructure, cap: 8, sample: true},
	"param_value":  {family: famConstant, cap: 12},
	"ip":           {family: famNetwork, cap: 12, sample: true, personal: true, tolerance: 2},
	"prefix":       {family: famNetwork, cap: 8, sample: true, personal: true, tolerance: 2},
	"credential":   {family: famIdentity, cap: 16, sample: true, personal: true, tolerance: 1},
	"account":      {family: famTargets, cap: 16, sample: true, personal: true, tolerance: 3},
	"segment":      {family: famTargets, cap: 6, sample: true},
	"password":     {family: famTargets, cap: 3.5, sample: true},
	"path":         {family: famTargets, cap: 3.5, sample: true},
	"walk":         {family: famSequence, cap: 8},
}

const (
	linkBits = 4    // bits from which a shared trait is a rare link
	toolBits = 3    // what the default traits of a tool that anybody can get weigh
	unseen   = 16   // askers that stand for those who were not seen
	enough   = 20   // askers without whom names and values of parameters tell little
	fewBits  = 3    // … what they weigh then
	minSim   = 0.5  // weighted Jaccard from which two attacks are joined
	minMean  = 0.4  // … and on average two groups, who change things over time
	fewIPs   = 64   // addresses that are a place and no pool
	wide     = 0.25 // overlap of samples below which it is chance
)

// mismatch says how much it speaks against two attacks that their traits of a
// family differ: people change addresses and victims sooner than programs.
var mismatch = [families]float64{famTool: 0.75, famStructure: 0.75, famConstant: 0.5, famNetwork: 0.2, famIdentity: 0.2, famTargets: 0.15, famSequence: 0.2}

// fade is the time in days in which the weight of a family falls to 1/e.
var fade = [families]float64{famTool: 365, famStructure: 365, famConstant: 365, famNetwork: 90, famIdentity: 60, famTargets: 365, famSequence: 365}

// bits is how rare a trait is among askers whom no attack claims.
func (t *trait) bits(key string, others, of uint64) float64 {
	if t.personal {
		if others <= t.tolerance {
			return t.cap
		}
		if t.family == famNetwork && others*100 > of {
			return 0
		}
	}
	b := -math.Log2(float64(others+1) / float64(of+unseen))
	if (key == "param_name" || key == "param_value") && of < enough {
		b = min(b, fewBits)
	}
	return min(max(b, 0), t.cap)
}
